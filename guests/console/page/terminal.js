// terminal.js: a partition's console in xterm.js: what it prints as events, what is typed as requests.
import { partitionPath, postBytes, stream } from "./api.js";
import { button, el, setText } from "./dom.js";
import { whileSeen } from "./live.js";
import { Terminal } from "./xterm.js";

const ROWS = 24, COLUMNS = 80, LEAST_COLUMNS = 30;
const PADDING = 28;       // around it, with the scroll bar
const PIECE = 1024;       // of what is typed, a request
const FULL_MS = 250;      // until a full queue of the guest's is tried again
const KEPT_TYPED = 65536; // what the guest does not take in time is lost

// The terminal is dark in both themes, as terminals are.
const THEME = { background: "#0d1720", foreground: "#d7e0e8", cursor: "#7cc4f5", selection: "#7cc4f540" };

function decode(text) {
	const raw = atob(text), data = new Uint8Array(raw.length);
	for (let i = 0; i < raw.length; i++)
		data[i] = raw.charCodeAt(i);
	return data;
}

// One request at a time, so that letters stay in order; what comes meanwhile goes with the next.
function typist(name, say) {
	let queue = new Uint8Array(0), busy = false;

	async function run() {
		busy = true;
		while (queue.length) {
			const piece = queue.slice(0, PIECE);
			try {
				const { taken_bytes: taken } = await postBytes(`${partitionPath(name)}/console`, piece);
				queue = queue.slice(taken);
				say(taken < piece.length ? "It takes no more now\u2026" : "");
				if (taken < piece.length)
					await new Promise((resolve) => setTimeout(resolve, FULL_MS));
			} catch (error) {
				queue = new Uint8Array(0);
				say(error.message);
			}
		}
		busy = false;
	}

	return (text) => {
		const more = new TextEncoder().encode(text), all = new Uint8Array(Math.min(KEPT_TYPED, queue.length + more.length));
		all.set(queue);
		all.set(more.slice(0, all.length - queue.length), queue.length);
		queue = all;
		if (!busy)
			run();
	};
}

// Output to the terminal; returns a function that ends it. A new stream begins from what is kept.
function follow(name, terminal, say) {
	const events = stream(`${partitionPath(name)}/console/stream`);
	let decoder = new TextDecoder(), position = 0;

	terminal.reset();

	events.addEventListener("output", (event) => {
		const data = decode(JSON.parse(event.data)), end = Number(event.lastEventId);
		// The console was started anew, or begins from what is kept: it is another text.
		if (end - data.length < position) {
			terminal.reset();
			decoder = new TextDecoder();
		}
		position = end;
		terminal.write(decoder.decode(data, { stream: true }));
	});
	events.addEventListener("lost", (event) => {
		position = Number(event.lastEventId);
		terminal.write(`\r\n[${Number(event.data)} bytes went by unseen]\r\n`);
	});
	events.addEventListener("open", () => say(""));
	events.addEventListener("error", () => say("The connection is interrupted."));
	return () => events.close();
}

// As many columns as there is room for. The guest believes in 80: what is longer than a line here goes on in the next.
function size(terminal, where) {
	const cell = terminal._core?.renderer?.dimensions?.actualCellWidth || 8;
	const columns = Math.floor((where.clientWidth - PADDING) / cell);
	terminal.resize(Math.max(LEAST_COLUMNS, Math.min(COLUMNS, columns)), ROWS);
}

// xterm.js measures its letters when it is opened, which its style sheet has to precede.
function style() {
	return new Promise((resolve, reject) => {
		if (document.getElementById("xterm-style"))
			resolve();
		else
			document.head.append(el("link", { id: "xterm-style", rel: "stylesheet", href: "/xterm.css", onload: resolve,
				onerror: () => reject(new Error("its style sheet did not come")) }));
	});
}

export async function openTerminal(where, name, may) {
	const small = matchMedia("(max-width: 600px)").matches;
	const terminal = new Terminal({ cols: COLUMNS, rows: ROWS, fontSize: small ? 11 : 13, theme: THEME, scrollback: 2000, cursorBlink: false,
		fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace", disableStdin: !may, bellStyle: "none",
		screenReaderMode: true });
	const word = el("span", { class: "doing", role: "status" });
	const say = (text) => setText(word, text);
	const type = may ? typist(name, say) : () => {};
	const leave = button("Clear", () => terminal.clear());
	const tools = el("div", { class: "row" }, leave,
		may ? button("Send Ctrl-]", () => type("\x1d")) : null,
		el("span", { class: "sub" }, may ? "Keys go to the guest; Ctrl-] leaves the terminal." : "You may read, and not type."), word);
	const place = el("div", { class: "xterm-place" });

	await style();
	where.replaceChildren(place, tools);
	terminal.open(place);
	terminal.textarea?.setAttribute("aria-label", may ? "Terminal: keys go to the guest, Control and ] leaves" : "Terminal, to read only");
	size(terminal, where);
	if (may)
		terminal.on("data", type);
	terminal.attachCustomKeyEventHandler((event) => {
		if (!event.ctrlKey || (event.key !== "]" && event.code !== "BracketRight"))
			return true;
		if (event.type === "keydown")
			leave.focus();
		event.preventDefault();
		return false;
	});
	const end = whileSeen(() => follow(name, terminal, say)), resized = () => size(terminal, where);
	addEventListener("resize", resized);
	return () => {
		removeEventListener("resize", resized);
		end();
		terminal.dispose();
	};
}
