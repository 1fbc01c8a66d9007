// A run as it goes on. hx-sse fetches the stream and resumes it; here is what the page does with it:
// steps and status are replaced in place, the log follows its end, a lost connection is said aloud.
(() => {
  const FAR = 48; // pixels from the end that still count as "at the end"
  const MAX_ROWS = 5000; // kept in the page while it follows; the rest is one click or the download away

  const start = () => {
    const run = document.querySelector(".run[data-run]");
    if (!run) return;
    const part = (id) => document.getElementById(id);
    const [log, rows, stream, lost, down] = ["log", "log-rows", "log-stream", "log-lost", "log-down"].map(part);
    let follows = true;
    let newest = last();

    function last() {
      return Number(rows.lastElementChild?.dataset.n ?? 0);
    }

    function counted(lines) {
      return `${lines.toLocaleString("en")} line${lines === 1 ? "" : "s"}`;
    }

    // The log's end

    function toEnd() {
      log.scrollTop = log.scrollHeight;
    }

    // Only a person scrolls up; that the end moves away under a growing log is no reason to stop following it.
    let top = 0;
    log.addEventListener("scroll", () => {
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < FAR;
      if (atEnd) follows = true;
      else if (log.scrollTop < top - 2) follows = false;
      top = log.scrollTop;
      down.hidden = follows;
    }, { passive: true });
    down.addEventListener("click", () => {
      follows = true;
      toEnd();
      log.focus();
    });

    // A page that was asked for one line stays there; any other starts at the end.
    const asked = location.hash.match(/^#L(\d+)$/) && document.querySelector(location.hash);
    if (asked) {
      follows = false;
      asked.scrollIntoView({ block: "center" });
    } else {
      toEnd();
    }

    function trim() {
      if (!follows || rows.childElementCount <= MAX_ROWS + 500) return;
      const range = document.createRange();
      range.setStartBefore(rows.firstElementChild);
      range.setEndBefore(rows.children[rows.childElementCount - MAX_ROWS]);
      range.deleteContents();
    }

    new MutationObserver(() => {
      newest = Math.max(newest, last());
      part("log-count").textContent = counted(newest);
      trim();
      if (follows) toEnd();
      if (find.value) search();
    }).observe(rows, { childList: true });

    // Find, times, wrapping

    const find = part("log-find");
    const found = part("log-found");
    let waiting = 0;
    function search() {
      const word = find.value.toLowerCase();
      let count = 0;
      for (const row of rows.children) {
        const hit = Boolean(word) && row.textContent.toLowerCase().includes(word);
        row.classList.toggle("hit", hit);
        if (hit) count += 1;
      }
      found.textContent = word ? `${count} of ${rows.childElementCount} lines shown` : "";
    }
    find.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        search();
        rows.querySelector(".hit")?.scrollIntoView({ block: "center" });
      }, 150);
    });
    const times = part("log-times"); // on a narrow screen they leave no room for the line
    times.checked = !matchMedia("(max-width: 61.9rem)").matches;
    log.classList.toggle("no-times", !times.checked);
    log.classList.add("set"); // until then runs.css shows it as it will be, so that nothing jumps
    times.addEventListener("change", (event) => log.classList.toggle("no-times", !event.target.checked));
    part("log-wrap").addEventListener("change", (event) => log.classList.toggle("no-wrap", !event.target.checked));

    // Elapsed times go on by themselves

    function span(seconds) { // as domain/durations.py has it
      if (seconds < 1) return `${Math.floor(seconds * 1000)} ms`;
      if (seconds < 60) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
      const minutes = Math.floor(seconds / 60);
      if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
      const hours = Math.floor(minutes / 60);
      return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
    }
    const clock = setInterval(() => {
      for (const place of document.querySelectorAll("#run-status [data-since], #run-steps [data-since]")) {
        place.textContent = span(Math.max(0, (window.drydockNow() - Date.parse(place.dataset.since)) / 1000));
      }
    }, 1000);

    if (!stream) {
      clearInterval(clock);
      return;
    }

    // The state, for who looks elsewhere: the tab's title and icon, and a notification where somebody wants one

    const notify = part("run-notify");
    const KEPT = "drydock.runs.notify";
    const wanted = () => "Notification" in window && Notification.permission === "granted" && localStorage.getItem(KEPT) === "yes";
    function press() {
      notify.setAttribute("aria-pressed", String(wanted()));
      notify.hidden = !("Notification" in window);
    }
    press();
    notify.addEventListener("click", async () => {
      if (wanted()) {
        localStorage.removeItem(KEPT);
      } else if (await Notification.requestPermission() === "granted") {
        localStorage.setItem(KEPT, "yes");
      } else {
        window.drydock.say("The browser does not let this page notify you");
      }
      press();
    });

    let told = part("run-status").querySelector("[data-status]").dataset.status;
    const title = document.title.replace(/^[^:]*: /, "");
    function tell({ status, word, icon, ended }) {
      if (status === told) return;
      told = status;
      document.title = `${word}: ${title}`;
      document.querySelector("link[rel=icon]").href = icon;
      if (ended === undefined) return;
      notify.hidden = true;
      if (document.hidden && wanted()) {
        new Notification(`${word}: ${document.querySelector("#run-head h1").innerText}`, { tag: location.pathname });
      }
    }

    // The stream

    let failures = 0;
    let over = false;

    // Replaced in place: what has the focus keeps it.
    function replace(id, html) {
      const place = part(id);
      const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
      const template = document.createElement("template");
      template.innerHTML = html;
      if (template.innerHTML === place.innerHTML) return;
      place.replaceChildren(template.content);
      if (focused) part(focused)?.focus();
      window.htmx?.process(place);
    }

    for (const part of ["steps", "outcome", "result"]) {
      stream.addEventListener(part, (event) => replace(`run-${part}`, event.detail.data));
    }
    stream.addEventListener("status", (event) => {
      replace("run-status", event.detail.data);
      const state = document.querySelector("#run-status [data-status]");
      tell(state.dataset);
      const offers = state.dataset.offers.split(" ").filter(Boolean);
      const form = document.getElementById("run-buttons");
      if (form) {
        form.hidden = !offers.length;
        for (const button of form.querySelectorAll("[data-signal]")) {
          button.hidden = !offers.includes(button.dataset.signal);
        }
      }
      if ("ended" in state.dataset) clearInterval(clock);
    });
    stream.addEventListener("eof", (event) => {
      over = true;
      lost.hidden = true;
      const { lines } = JSON.parse(event.detail.data);
      // The count is the proof: with a line missing the page is read again from the database.
      if (Math.max(newest, last()) < lines) location.reload();
      part("log-count").textContent = counted(lines);
      part("log-complete").hidden = false;
      run.dispatchEvent(new CustomEvent("run:ended", { bubbles: true }));
    });

    stream.addEventListener("htmx:after:sse:connection", () => {
      failures = 0;
      lost.hidden = true;
    });
    stream.addEventListener("htmx:before:sse:connection", (event) => {
      if (event.detail.connection.attempt > 0 && !over) lost.hidden = false;
    });
    stream.addEventListener("htmx:sse:error", () => {
      lost.hidden = over;
    });

    // hx-sse retries a stream that broke, not one that never began: that is done here.
    function again() {
      if (over || stream._htmx?.sse) return;
      lost.hidden = false;
      failures += 1;
      setTimeout(() => stream.dispatchEvent(new CustomEvent("again")), Math.min(5000, 500 * 2 ** failures));
    }
    stream.addEventListener("htmx:before:response", (event) => {
      const { response } = event.detail.ctx;
      if (response.raw.headers.get("Content-Type")?.includes("text/event-stream") && response.raw.ok) return;
      event.preventDefault(); // an error page is no log line
      again();
    });
    stream.addEventListener("htmx:error", (event) => {
      event.stopPropagation(); // the banner says it; a toast each time would be noise
      again();
    });
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
