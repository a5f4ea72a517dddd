// log.js: what happened: events since the page was opened, the machine's log, the audit log.
import { get } from "./api.js";
import { button, el, table } from "./dom.js";
import { isAdministrator, on, seesAll, state } from "./state.js";
import { printable, time } from "./words.js";

const EVERY_MS = 5000, KEPT = 200000;

function eventsPanel() {
	const body = el("div", { class: "events", role: "log", "aria-label": "Events" });
	const element = el("section", { class: "panel" }, el("h2", null, "Events since this page was opened"), body);

	function update() {
		body.replaceChildren(state.events.length ? el("ol", null, state.events.map((event) => el("li", null,
			el("time", null, event.at), " ", el("b", null, printable(event.name)), " ", printable(event.text))))
			: el("p", { class: "sub" }, "Nothing has changed yet."));
	}
	update();
	return { element, close: on("events", update) };
}

function logPanel() {
	const text = el("pre", { class: "log", tabindex: "0", "aria-label": "Log of the machine" }), wrong = el("p", { class: "wrong" });
	let next = null, timer = 0, open = true;

	async function read() {
		try {
			if (document.hidden)
				return;
			const answer = await get(next === null ? "/log" : `/log?from=${next}`);
			const bottom = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
			next = answer.next;
			if (answer.text)
				text.textContent = (text.textContent + answer.text).slice(-KEPT);
			if (bottom)
				text.scrollTop = text.scrollHeight;
			wrong.textContent = "";
		} catch (error) {
			wrong.textContent = error.message;
		} finally {
			if (open)
				timer = setTimeout(read, EVERY_MS);
		}
	}
	read();
	return { element: el("section", { class: "panel" }, el("h2", null, "Log"), text, wrong), close() {
		open = false;
		clearTimeout(timer);
	} };
}

function auditPanel() {
	const body = el("div");
	async function read() {
		try {
			const { entries } = await get("/audit");
			body.replaceChildren(table("Audit log", ["Time (UTC)", "Who", "From", "What", "Result"], entries.reverse().map((entry) =>
				[time(entry.time), printable(entry.who), printable(entry.source), printable(entry.what), printable(entry.result)])));
		} catch (error) {
			body.replaceChildren(el("p", { class: "wrong" }, error.message));
		}
	}
	read();
	return { element: el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h2", null, "Audit: who changed what"), button("Read again", read)), body),
		 close() {} };
}

export function log(main) {
	const panels = [eventsPanel(), seesAll() ? logPanel() : null, isAdministrator() ? auditPanel() : null].filter(Boolean);
	main.append(el("h1", { tabindex: "-1" }, "Log"), ...panels.map((panel) => panel.element));
	return () => panels.forEach((panel) => panel.close());
}
