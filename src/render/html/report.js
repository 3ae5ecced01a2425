"use strict";
// Draws the score over the two parameters chosen; the figures are in the page.
for (const box of document.querySelectorAll(".surface")) {
  const data = JSON.parse(box.querySelector("script").textContent);
  const [xs, ys] = box.querySelectorAll("select");
  const table = box.querySelector("table");
  const keys = [...new Set(data.surfaces.flatMap((s) => [s.x, s.y]))];
  for (const select of [xs, ys]) for (const key of keys) select.add(new Option(key, key));
  const find = (x, y) => {
    const same = data.surfaces.find((s) => s.x === x && s.y === y);
    if (same) return same;
    const turned = data.surfaces.find((s) => s.x === y && s.y === x);
    if (!turned) return null;
    const mean = [];
    for (let i = 0; i < turned.x_levels.length; i++)
      for (let j = 0; j < turned.y_levels.length; j++) mean.push(turned.mean[j * turned.x_levels.length + i]);
    return { x, y, x_levels: turned.y_levels, y_levels: turned.x_levels, mean };
  };
  const draw = () => {
    table.replaceChildren();
    const s = find(xs.value, ys.value);
    if (!s) return;
    const known = s.mean.filter((v) => v !== null);
    const low = Math.min(...known), high = Math.max(...known);
    const head = table.insertRow();
    head.insertCell().textContent = s.y + " \\ " + s.x;
    for (const level of s.x_levels) head.insertCell().textContent = level;
    s.y_levels.forEach((level, j) => {
      const row = table.insertRow();
      row.insertCell().textContent = level;
      s.x_levels.forEach((across, i) => {
        const cell = row.insertCell();
        const v = s.mean[j * s.x_levels.length + i];
        cell.textContent = v === null ? "-" : v.toFixed(3);
        const t = v === null ? 0 : high > low ? (v - low) / (high - low) : 0.5;
        if (v !== null) cell.style.background = "color-mix(in srgb, var(--cand) " + Math.round(10 + 60 * t) + "%, var(--card))";
        if (data.chosen[s.x] === across && data.chosen[s.y] === level) cell.className = "chosen";
      });
    });
  };
  if (keys.length > 1) {
    xs.value = data.first[0];
    ys.value = data.first[1];
    xs.onchange = ys.onchange = () => {
      if (xs.value === ys.value) ys.value = keys.find((k) => k !== xs.value);
      draw();
    };
    draw();
  }
}
