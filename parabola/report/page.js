// Draw a chart, name its menus, and let arrow keys go from point to point, each of which is told below the chart.
const draw = async specification => {
  const chart = document.getElementById(specification.dataset.chart);
  const { view } = await vegaEmbed(chart, JSON.parse(specification.textContent), {
    renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false },
  });
  const told = chart.parentElement.querySelector(".point");
  const points = () => [...chart.querySelectorAll(".mark-symbol.role-mark path")];
  const name = () => {
    chart.querySelector("summary")?.setAttribute("aria-label", `save the picture ${chart.dataset.name}`);
    chart.querySelector("select")?.setAttribute("aria-label", `line to pick in ${chart.dataset.name}`);
    points().forEach((point, number) => point.setAttribute("tabindex", number ? "-1" : "0"));
  };
  name();
  const how = [
    chart.querySelector("select") && "pick a line from the list",
    specification.textContent.includes('"name": "zoom"') && "drag to move, Shift and wheel to zoom, double click to see all",
    "hover, or go by arrow keys, for figures",
  ].filter(Boolean).join("; ");
  const caption = chart.closest("figure").querySelector("figcaption");
  if (how.length > (caption.dataset.how ?? "").length) caption.dataset.how = how[0].toUpperCase() + how.slice(1) + ".";
  view.addSignalListener("width", () => view.runAsync().then(name));
  chart.addEventListener("change", () => view.runAsync().then(name));
  chart.addEventListener("focusin", event => {
    if (event.target.matches(".mark-symbol path")) told.textContent = event.target.getAttribute("aria-label");
  });
  chart.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = points(), at = all.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    all[Math.min(Math.max(at + step, 0), all.length - 1)].focus();
  });
};
for (const specification of document.querySelectorAll("script[data-chart]")) draw(specification).catch(console.error);

const tables = new ResizeObserver(entries => {
  for (const { target } of entries) target.nextElementSibling.hidden = target.scrollWidth <= target.clientWidth;
});
for (const table of document.querySelectorAll(".table")) tables.observe(table);

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
