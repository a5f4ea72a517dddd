// plot.js: what went on in the last minutes, as lines.
import { el, setAttribute, setText, svg } from "./dom.js";

export const SAMPLES = 100;
const WIDTH = 120, HEIGHT = 36;

function points(values, top) {
	// The first value alone is seen as well.
	if (values.length === 1)
		values = [values[0], values[0]];
	const first = SAMPLES - values.length;
	return values.map((value, index) => {
		const x = ((first + index) * WIDTH) / (SAMPLES - 1), y = HEIGHT - 1 - (value / top) * (HEIGHT - 3);
		return `${x.toFixed(1)},${y.toFixed(1)}`;
	});
}

function draw(line, area, values, top) {
	const all = points(values, top);
	line.setAttribute("points", all.join(" "));
	if (!area || !all.length)
		return;
	const from = all[0].split(",")[0];
	area.setAttribute("points", `${from},${HEIGHT} ${all.join(" ")} ${WIDTH},${HEIGHT}`);
}

/*
 * A plot of `series` (one or two keys of state.rates): `words` makes a text of a value, `least` is the least top of the
 * scale. Returns { element, update(rates) }.
 */
export function plot(title, series, words, least, names) {
	const lines = series.map((_, index) => svg("polyline", { class: `line s${index}` }));
	const areas = series.map((_, index) => svg("polygon", { class: `area s${index}` }));
	const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
		svg("path", { class: "grid", d: `M0 ${HEIGHT - 0.5}H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}` }), areas, lines);
	const now = el("span", { class: "now" }), top = el("span", { class: "top" });
	const element = el("figure", { class: "plot" },
		el("figcaption", null, el("span", null, title), now), el("div", { class: "area" }, picture, top));

	function update(rates) {
		const values = series.map((key) => rates?.[key] ?? []);
		const most = Math.max(least, ...values.flat());
		const last = values.map((list) => words(list.at(-1) ?? 0));
		values.forEach((list, index) => draw(lines[index], areas[index], list, most));
		setText(now, names ? last.map((text, index) => `${names[index]} ${text}`).join("  ") : last[0]);
		setText(top, words(most));
		setAttribute(picture, "aria-label",
			`${title}: ${last.map((text, index) => (names ? `${names[index]} ${text}` : text)).join(", ")}; scale to ${words(most)}`);
	}
	update(null);
	return { element, update };
}
