// Drydock's own behaviour: theme switch, copy buttons, shortcuts, toasts, times that keep moving.
// Everything hangs on document, so that what htmx swaps in works at once.
(() => {
  const root = document.documentElement;
  const MENUS = "details.person[open], details.help[open]"; // a click elsewhere shuts them, and Escape
  const click = {
    "#theme": () => {
      const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
      localStorage.setItem("theme", next);
      root.dataset.bsTheme = next;
    },
    "[data-copy]": async (button) => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy || button.title);
        button.classList.add("copied");
        say("Copied");
        setTimeout(() => button.classList.remove("copied"), 1500);
      } catch {
        say("The browser does not let this page copy");
      }
    },
    "[data-dismiss]": (button) => button.closest(".toast-card").remove(),
    "[data-shortcuts]": () => document.getElementById("shortcuts").showModal(),
    "[data-close]": (button) => button.closest("dialog").close(),
    "[data-open]": (button) => document.getElementById(button.dataset.open).showModal(),
  };
  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(click)) {
      const found = event.target.closest(selector);
      if (found) act(found);
    }
    for (const menu of document.querySelectorAll(MENUS)) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // A short message for eyes and screen readers alike; it leaves by itself.
  function say(text) {
    const line = document.createElement("div");
    line.className = "toast-card brief";
    line.textContent = text;
    document.getElementById("toasts").append(line);
    setTimeout(() => line.remove(), 2500);
  }
  window.drydock = { say };

  document.addEventListener("htmx:error", (event) => {
    const error = event.detail.error ?? event.detail.ctx?.error;
    if (error?.name === "AbortError" || event.detail.ctx?.request?.signal?.aborted) return;
    say("No answer from Drydock. Check the connection, then try again.");
  });

  // Typing pushes one history entry, not one per letter: back leads to what was there before the search.
  let typing = false;
  document.addEventListener("htmx:before:history:update", (event) => {
    const fromSearch = event.detail.sourceElement?.matches?.("input[type=search]");
    if (fromSearch && typing) event.detail.history.type = "replace";
    typing = Boolean(fromSearch);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches?.("input[type=search]")) typing = false;
  });

  // On a narrow screen the filters start closed, and stay as the person left them.
  let opened = !matchMedia("(max-width: 84.9rem)").matches;
  const fold = () => {
    const facets = document.querySelector("details.facets");
    if (!facets) return;
    facets.open = opened;
    facets.dataset.folded = ""; // until then app.css shows them as they will be, so that nothing jumps
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details.facets")) opened = event.target.open;
  }, true);
  document.addEventListener("htmx:after:swap", fold);
  fold();

  // Where the tabs (or the rail's entries, on a narrow screen) do not all fit, the current one is in sight.
  for (const tab of document.querySelectorAll(":is(.tabs, .rail) [aria-current]")) {
    const tabs = tab.closest(".tabs, .rail");
    tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
  }

  // Whoever waited for something to be read need not press the button again; Back leads to the page as it was before.
  const atOnce = () => {
    const form = document.querySelector("form[data-submit-at-once]");
    if (!form) return;
    history.replaceState(history.state, "", form.action);
    form.requestSubmit();
  };
  document.addEventListener("htmx:after:swap", atOnce);
  atOnce();

  // A field above a list of choices: the arrow down goes to the list, and what is typed and what is chosen take turns.
  const choices = (field) => [...document.querySelectorAll(`${field.dataset.chooses} input[type=radio]`)];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || !event.target.matches("[data-chooses]")) return;
    const all = choices(event.target);
    const first = all.find((choice) => choice.checked) ?? all[0];
    if (!first) return;
    event.preventDefault();
    first.focus();
    first.click();
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-chooses]")) choices(event.target).forEach((choice) => { choice.checked = false; });
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("input[type=radio]")) return;
    for (const field of document.querySelectorAll("[data-chooses]")) {
      if (event.target.closest(field.dataset.chooses)) field.value = "";
    }
  });

  // Shortcuts. None fires while somebody types.
  let going = 0;
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const move = (step) => {
    const all = rows();
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    next?.querySelector("a")?.focus();
  };
  const keys = {
    "/": () => (document.getElementById("search") ?? { select: () => window.drydock.box?.open() }).select(),
    ".": () => window.drydock.box?.ofRow(),
    "?": () => document.getElementById("shortcuts").showModal(),
    j: () => move(1),
    k: () => move(-1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("input[type=search]")) event.target.blur();
    const menu = event.key === "Escape" && document.querySelector(MENUS);
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]") || document.querySelector("dialog[open]")) return;
    if (event.key === "g") {
      going = Date.now();
      return;
    }
    const target = Date.now() - going < 1200 && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    going = 0;
    if (target) {
      event.preventDefault();
      location.assign(target.href);
    } else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  // Relative times move on by themselves, in the words of web/html/times.py.
  const relative = (seconds) => {
    const size = Math.abs(seconds);
    if (size < 5) return "just now";
    const [by, unit] = size < 60 ? [1, "s"] : size < 3600 ? [60, "min"] : size < 172800 ? [3600, "h"]
      : size < 63072000 ? [86400, "d"] : [31536000, "y"];
    const text = `${Math.floor(size / by)} ${unit}`;
    return seconds < 0 ? `in ${text}` : `${text} ago`;
  };
  // How far the server is ahead of the browser's clock, which may be wrong. A page that comes back out of the browser's
  // own store tells an old time: then what the last fresh one told holds.
  const comesBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  const kept = comesBack ? sessionStorage.getItem("ahead") : null;
  const ahead = kept === null ? Date.parse(root.dataset.now) - Date.now() : Number(kept);
  sessionStorage.setItem("ahead", String(ahead));
  window.drydockNow = () => Date.now() + ahead;
  setInterval(() => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[datetime]:not([data-fixed])")) {
      const text = relative((window.drydockNow() - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  }, 10000);
})();
