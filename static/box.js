// The box that finds anything. The server says what there is (web/search.py); this moves in it: a combobox whose list
// is chosen from by arrows, Enter and the mouse, in a dialog that keeps the focus and gives it back.
(() => {
  const box = document.getElementById("box");
  if (!box) return;
  const input = document.getElementById("box-input");
  const results = document.getElementById("box-results");
  const told = document.getElementById("box-told");
  let entered = false; // Enter was pressed before what it is about was there
  let before = null;

  const options = () => [...results.querySelectorAll("[role=option]")];
  const chosen = () => results.querySelector("[aria-selected=true]");
  const fresh = () => results.firstElementChild?.dataset.q === input.value.trim();

  function open(text) {
    if (!box.open) {
      before = document.activeElement;
      box.showModal();
    }
    if (text !== undefined) input.value = text;
    input.select();
    if (!fresh()) ask();
  }

  function ask() {
    if (input.value.trim()) return input.dispatchEvent(new Event("input", { bubbles: true }));
    results.replaceChildren();
  }

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function move(step) {
    const all = options();
    const at = all.indexOf(chosen());
    if (all.length) choose(all[(at + step + all.length) % all.length]);
  }

  function listed() {
    const all = options();
    all.forEach((option, number) => (option.id = `box-option-${number}`));
    input.setAttribute("aria-expanded", String(all.length > 0));
    told.textContent = results.firstElementChild?.dataset.told ?? "";
    choose(all[0]);
    if (entered && fresh()) enter();
  }

  function enter() {
    entered = !fresh();
    if (entered) return ask();
    const option = chosen();
    if (!option) return;
    option.click();
    box.close();
  }

  new MutationObserver(listed).observe(results, { childList: true });
  results.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });
  input.addEventListener("keydown", (event) => {
    const act = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: enter }[event.key];
    if (!act || event.isComposing) return;
    event.preventDefault();
    act();
  });
  input.addEventListener("input", () => {
    if (!input.value.trim()) ask();
  });
  // Tab goes around in the dialog: its field and its button, and nothing behind it.
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const stops = [...box.querySelectorAll("input, button:not([tabindex])")];
    const at = stops.indexOf(document.activeElement);
    event.preventDefault();
    stops[(at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length].focus();
  });
  box.addEventListener("close", () => {
    entered = false;
    if (before?.isConnected) before.focus();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close(); // beside it
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-box]") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const other = document.querySelector("dialog[open]");
    event.preventDefault();
    if (!other || other === box) open();
  });
  // What can be done with a row: what the box says of the thing that its first link leads to.
  const ofRow = () => {
    const row = document.activeElement?.closest("[data-row]");
    const link = row?.querySelector("a[href]");
    if (link) open(new URL(link.href).pathname);
  };
  window.drydock.box = { open, ofRow };
})();
