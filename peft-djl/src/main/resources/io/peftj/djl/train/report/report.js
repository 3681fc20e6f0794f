// Shows the numbers at the pointer; the page is complete without it.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const steps = data.steps;
  if (!steps.length) return;
  const count = v => Math.round(v).toLocaleString("en");
  const number = v => Math.abs(v) >= 1e-3 || v === 0 ? Number(v.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 }) : Number(v.toPrecision(3)).toExponential();
  const bytes = v => v < 2 ** 30 ? (v / 2 ** 20).toFixed(1) + " MiB" : (v / 2 ** 30).toFixed(2) + " GiB";
  const range = (s, key, text) => {
    const n = s[key];
    if (!n) return "";
    return text(n[3] / n[2]) + (n[0] < n[1] ? "  (" + text(n[0]) + " … " + text(n[1]) + ")" : "");
  };
  const evaluation = step => data.evaluations.find(e => e.step >= step.first && e.step <= step.last);
  const scores = e => Object.entries(e.scores).map(([name, v]) =>
    name.replaceAll("_", " ") + "  " + (v === null ? "∞" : name === "loss" || name === "perplexity" ? number(v) : (v * 100).toFixed(1) + " %")).join("\n");
  const tips = {
    loss: s => range(s, "LOSS", number) + (evaluation(s) ? "\nvalidation  " + number(evaluation(s).scores.loss) : ""),
    rate: s => range(s, "LEARNING_RATE", number),
    norm: s => range(s, "GRADIENT_NORM", number),
    speed: s => range(s, "TOKENS_PER_SECOND", count) + " tokens/s",
    memory: s => (s.RESIDENT_BYTES ? "process  " + range(s, "RESIDENT_BYTES", bytes) + "\n" : "") + "tensors  " + range(s, "NATIVE_BYTES", bytes),
  };
  const first = steps[0].first, last = steps[steps.length - 1].last;
  const nearest = (all, at, place) => all.reduce((best, each) => Math.abs(place(each) - at) < Math.abs(place(best) - at) ? each : best);
  for (const chart of document.querySelectorAll(".chart")) {
    const area = chart.querySelector(".area");
    const cursor = Object.assign(document.createElement("div"), { className: "cursor", hidden: true });
    const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
    area.append(cursor, tip);
    const show = event => {
      const room = area.getBoundingClientRect();
      const at = first + (event.clientX - room.left) / room.width * (last - first);
      let place, text;
      if (chart.dataset.chart === "score") {
        const e = nearest(data.evaluations, at, each => each.step);
        place = e.step;
        text = "epoch " + e.epoch + ", step " + count(e.step) + "\n" + scores(e);
      } else {
        const s = nearest(steps, at, each => (each.first + each.last) / 2);
        place = (s.first + s.last) / 2;
        text = (s.first === s.last ? "step " + count(s.first) : "steps " + count(s.first) + "–" + count(s.last)) + "\n" + tips[chart.dataset.chart](s);
      }
      const share = last > first ? (place - first) / (last - first) : .5;
      cursor.style.left = share * 100 + "%";
      tip.textContent = text;
      tip.style.left = share < .5 ? "calc(" + share * 100 + "% + 8px)" : "auto";
      tip.style.right = share < .5 ? "auto" : "calc(" + (1 - share) * 100 + "% + 8px)";
      cursor.hidden = tip.hidden = false;
    };
    area.addEventListener("pointermove", show);
    area.addEventListener("pointerdown", show);
    area.addEventListener("pointerleave", () => { cursor.hidden = tip.hidden = true; });
  }
})();
