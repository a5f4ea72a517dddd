// words.js: numbers, times and names as people read them.

// Control characters and those that change the direction of text, made visible.
export function printable(text) {
	return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => {
		const code = c.charCodeAt(0);
		if (code < 0x100)
			return `\\x${code.toString(16).padStart(2, "0")}`;
		return `\\u{${code.toString(16)}}`;
	});
}

function scaled(value, step, units, digits) {
	let unit = 0;
	while (value >= step && unit + 1 < units.length) {
		value /= step;
		unit++;
	}
	const shown = value >= 100 || !unit || Number.isInteger(value) ? Math.round(value) : value.toFixed(digits);
	return `${shown} ${units[unit]}`;
}

export const bytes = (value) => scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 1);
export const bitRate = (value) => scaled(value * 8, 1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"], 1);
export const bits = (value) => scaled(value * 8, 1000, ["", "k", "M", "G", "T"], 1).trim();
export const rate = (value) => scaled(value, 1000, ["/s", "k/s", "M/s"], 1);
export const percent = (value) => `${value > 0 && value < 0.1 ? (value * 100).toFixed(1) : Math.round(value * 100)} %`;
export const count = (value) => value.toLocaleString("en");

export function duration(seconds) {
	const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
	const minutes = Math.floor(seconds / 60) % 60, rest = Math.floor(seconds) % 60;
	if (days)
		return `${days} d ${hours} h`;
	if (hours)
		return `${hours} h ${minutes} min`;
	return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}

export function time(seconds) {
	return seconds ? new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19) : "unknown";
}

export const clock = () => new Date().toTimeString().slice(0, 8);

export const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
