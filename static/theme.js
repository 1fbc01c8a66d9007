// Sets light or dark before the first paint: the person's choice, or else the system's; and that there is JavaScript, so
// that what only it can do has its place from the beginning. Runs in <head>, not deferred.
(() => {
  document.documentElement.classList.add("js");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.bsTheme = localStorage.getItem("theme") ?? (system.matches ? "dark" : "light");
  };
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  apply();
})();
