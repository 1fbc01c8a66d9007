// The checkboxes of a list: how many are ticked, a row of them at once with Shift, and x for the row that has the focus.
(() => {
  const boxes = () => [...document.querySelectorAll(".pick > input")];
  let last = null;

  const count = () => {
    const label = document.querySelector("[data-count-ticked]");
    if (!label) return;
    const ticked = boxes().filter((box) => box.checked).length;
    label.textContent = ticked ? `Select the ${ticked} ticked` : "Select those ticked";
  };
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.(".pick > input");
    if (!box) return;
    const all = boxes();
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
    if (event.shiftKey && from >= 0) all.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
    last = box;
    count();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
    let row = event.target.closest("tr");
    while (row?.matches(".same")) row = row.previousElementSibling; // of several lines of one function the first has it
    row?.querySelector(".pick > input")?.click();
  });
  document.addEventListener("htmx:after:swap", count);
  window.addEventListener("pageshow", count);
})();
