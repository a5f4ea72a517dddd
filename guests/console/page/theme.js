// theme.js: light, dark, or as the system has it.
import { setAttribute, setText } from "./dom.js";

const ORDER = ["system", "light", "dark"];
const KEY = "bulkhead-theme";

function read() {
	try {
		const kept = localStorage.getItem(KEY);
		return ORDER.includes(kept) ? kept : "system";
	} catch {
		return "system"; // no storage in this browser
	}
}

function keep(theme) {
	try {
		localStorage.setItem(KEY, theme);
	} catch {
		// It lasts as long as the page does.
	}
}

export function startTheme(element) {
	let theme = read();
	function show() {
		setAttribute(document.documentElement, "data-theme", theme === "system" ? null : theme);
		setText(element, { system: "\u25d0 Auto", light: "\u2600 Light", dark: "\u263e Dark" }[theme]);
		setAttribute(element, "aria-label", `Colours: ${theme === "system" ? "as the system" : theme}; press for the next`);
	}
	element.addEventListener("click", () => {
		theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
		keep(theme);
		show();
	});
	show();
}
