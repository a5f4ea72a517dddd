// partition.js: one partition: its numbers, its vCPUs, why it ended, its terminal.
import { actions } from "./actions.js";
import { get, partitionPath } from "./api.js";
import { button, el, setText, table } from "./dom.js";
import { facts, plots, stateMark } from "./overview.js";
import { colour, mayOperate, on, state } from "./state.js";
import { count, duration, printable } from "./words.js";

const nothing = () => {};

function vcpuTable(detail) {
	const seconds = (ns) => duration(ns / 1e9);
	return table("Virtual CPUs", ["vCPU", "CPU", "Placed", "Ran", "In the kernel", "In its monitor"], detail.vcpu.map((vcpu) =>
		[String(vcpu.number), String(vcpu.cpu), vcpu.dedicated ? "alone" : "shared", seconds(vcpu.ran_ns), seconds(vcpu.kernel_ns), seconds(vcpu.monitor_ns)]));
}

function exitTable(answer) {
	const all = new Map();
	for (const vcpu of answer.vcpus)
		for (const [reason, number] of Object.entries(vcpu.exits))
			all.set(reason, (all.get(reason) ?? 0) + number);
	const rows = [...all].filter(([, number]) => number).sort((a, b) => b[1] - a[1]);
	const most = rows[0]?.[1] ?? 1;
	return table("Exits by reason", ["Reason", "Number", ""], rows.map(([reason, number]) => [reason.replaceAll("_", " "), count(number),
		el("span", { class: "meter wide", "aria-hidden": "true" }, el("i", { style: { "inline-size": `${(number / most) * 100}%` } }))]));
}

// Read when opened, and again by a button: each costs the machine a request.
function numbers(name) {
	const body = el("div", { class: "stack" });
	async function read() {
		try {
			const detail = await get(partitionPath(name));
			const exits = await get(`${partitionPath(name)}/exits`);
			const report = (await get(`${partitionPath(name)}/report`)).text;
			body.replaceChildren(vcpuTable(detail), exitTable(exits), el("h3", null, "Last report"),
				report ? el("pre", { tabindex: "0", "aria-label": "Last report" }, report) : el("p", { class: "sub" }, "It has not failed."),
				el("div", { class: "row" }, button("Read again", read)));
		} catch (error) {
			body.replaceChildren(el("p", { class: "wrong" }, error.message));
		}
	}
	return el("details", { class: "panel", ontoggle: (event) => event.target.open && !body.firstChild && read() },
		el("summary", null, "vCPUs, exits by reason, last report"), body);
}

function terminalPanel(name) {
	const where = el("div", { class: "terminal-place" }, el("p", { class: "sub" }, "Loading the terminal\u2026"));
	const panel = el("section", { class: "panel terminal", "aria-labelledby": "terminal-title" },
		el("h2", { id: "terminal-title" }, "Terminal"), where);
	let close = nothing, closed = false;
	import("./terminal.js").then((module) => module.openTerminal(where, name, mayOperate(state.partitions.get(name)))).then((end) => {
		close = end;
		if (closed)
			close();
	}).catch((error) => where.replaceChildren(el("p", { class: "wrong" }, `The terminal cannot be shown: ${error.message}`)));
	return { element: panel, close() {
		closed = true;
		close();
	} };
}

export function partition(main, name) {
	const first = state.partitions.get(name);
	const title = el("h1", { tabindex: "-1" }, el("i", { class: "swatch", "aria-hidden": "true", style: { "--own": colour(name) } }), printable(name));
	if (!first) {
		main.append(title, el("p", { class: "empty" }, "There is no such partition, or it is not for you to see."));
		return nothing;
	}
	const mark = stateMark(), acts = actions(name), lines = plots(), sub = el("p", { class: "sub" });
	const terminal = first.console ? terminalPanel(name) : null;
	const graphs = el("section", { class: "panel big", "aria-label": "The last minutes", style: { "--own": colour(name) } },
		el("div", { class: "plots" }, lines.map((line) => line.element)));
	main.append(el("div", { class: "head" }, title, mark.element, acts.element), sub,
		el("div", { class: terminal ? "duo" : "" }, terminal?.element, graphs), numbers(name));

	function update() {
		const now = state.partitions.get(name);
		if (!now)
			return;
		mark.update(now);
		setText(sub, facts(now));
		acts.update();
		lines.forEach((line) => line.update(state.rates.get(name)));
	}
	const ends = [on("partitions", update), on("sample", update), on("pending", update)];
	const timer = setInterval(() => state.pending.size && acts.update(), 1000);
	update();
	return () => {
		ends.forEach((end) => end());
		clearInterval(timer);
		terminal?.close();
	};
}
