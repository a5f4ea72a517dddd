// plan.js: the machine as it is divided: each CPU with who runs on it, and the memory with who owns it.
import { el, setAttribute, setText } from "./dom.js";
import { colour, shown, state } from "./state.js";
import { bytes, percent, plural, printable } from "./words.js";

const link = (name) => `#/partition/${encodeURIComponent(name)}`;

// ---- CPUs ----

function vcpuBlock(vcpu) {
	const partition = state.partitions.get(vcpu.partition), monitor = partition?.kind === "monitor";
	const title = `${printable(vcpu.partition)}, vCPU ${vcpu.number}, ${vcpu.dedicated ? "alone on this CPU" : "sharing this CPU"}`;
	return el("a", { class: `vcpu${monitor ? " monitor" : ""}${vcpu.dedicated ? " dedicated" : ""}`,
			 href: link(partition?.guest || vcpu.partition), title, "aria-label": title, style: { "--own": colour(vcpu.partition) },
			 tabindex: monitor ? "-1" : null },
		el("span", null, monitor ? "" : printable(vcpu.partition)));
}

function cpuCell(number) {
	const load = el("span", { class: "load" }), bar = el("i"), body = el("div", { class: "vcpus" });
	const element = el("li", { class: "cpu" },
		el("div", { class: "head" }, el("span", null, `CPU ${number}`), load), el("div", { class: "meter", "aria-hidden": "true" }, bar), body);
	let drawn = "";

	function update(vcpus) {
		const idle = state.idle.get(number), key = JSON.stringify(vcpus.map((v) => [v.partition, v.number, v.dedicated, colour(v.partition)]));
		setText(load, idle === undefined ? "" : percent(1 - idle));
		bar.style.setProperty("inline-size", `${idle === undefined ? 0 : (1 - idle) * 100}%`);
		if (key === drawn)
			return;
		drawn = key;
		body.replaceChildren(...vcpus.map(vcpuBlock));
		setAttribute(element, "data-free", !vcpus.length);
	}
	return { element, update };
}

// Guests first, and their monitors, which are thin, behind them.
const monitorsLast = (a, b) => (state.partitions.get(a.partition)?.kind === "monitor") - (state.partitions.get(b.partition)?.kind === "monitor");

function cpuPlan() {
	const list = el("ol", { class: "cpus", "aria-label": "CPUs and who runs on them" });
	let cells = [];

	function update() {
		const total = state.machine?.cpus.length ?? 0;
		if (cells.length !== total) {
			cells = state.machine.cpus.map((cpu) => cpuCell(cpu.number));
			list.replaceChildren(...cells.map((cell) => cell.element));
			setAttribute(list, "data-many", total > 16);
		}
		const by = cells.map(() => []);
		for (const vcpu of state.placed)
			by[vcpu.cpu]?.push(vcpu);
		cells.forEach((cell, index) => cell.update(by[index].sort(monitorsLast)));
	}
	return { element: list, update };
}

// ---- memory ----

function pieces() {
	const { machine } = state, partitions = [...state.partitions.values()];
	const owned = partitions.reduce((sum, partition) => sum + partition.memory_bytes, 0);
	const rest = machine.memory_bytes - machine.memory_free_bytes - machine.kernel_bytes - owned;
	const list = [{ name: "Kernel", size: machine.kernel_bytes, own: "var(--kernel)" }];
	for (const partition of partitions)
		list.push({ name: printable(partition.name), size: partition.memory_bytes, own: colour(partition.name), kind: partition.kind });
	list.push({ name: "Channels, firmware and others", size: Math.max(0, rest), own: "var(--none)" });
	list.push({ name: "Free", size: machine.memory_free_bytes, own: "var(--free)", free: true });
	return list.filter((piece) => piece.size > 0);
}

function memoryPlan() {
	const bar = el("div", { class: "memory", role: "img" });
	const list = el("ul", { class: "keys", "aria-label": "Memory by owner" });
	let drawn = "";

	function update() {
		if (!state.machine)
			return;
		const all = pieces(), key = JSON.stringify(all);
		if (key === drawn)
			return;
		drawn = key;
		bar.replaceChildren(...all.map((piece) => el("span", { class: piece.kind === "monitor" ? "monitor" : piece.free ? "free" : null,
			title: `${piece.name}: ${bytes(piece.size)}`, style: { "flex-grow": String(piece.size / 1048576), "--own": piece.own } })));
		setAttribute(bar, "aria-label", all.map((piece) => `${piece.name} ${bytes(piece.size)}`).join(", "));
		list.replaceChildren(...all.filter((piece) => piece.kind !== "monitor").map((piece) => el("li", null,
			el("i", { class: "swatch", style: { "--own": piece.own } }), piece.name, " ", el("b", null, bytes(piece.size)))));
	}
	return { element: el("div", null, bar, list), update };
}

export function plan() {
	const cpus = cpuPlan(), memory = memoryPlan();
	const summary = el("p", { class: "sub" });
	const element = el("section", { class: "panel plan", "aria-labelledby": "plan-title" },
		el("div", { class: "panel-head" }, el("h2", { id: "plan-title" }, "Plan of the machine"), summary),
		el("h3", null, "CPUs"), cpus.element, el("h3", null, "Memory"), memory.element);

	function update() {
		if (!state.machine)
			return;
		setText(summary, `${plural(state.machine.cpus.length, "CPU")}, ${bytes(state.machine.memory_bytes)}, ${plural(shown().length, "partition")}`);
		cpus.update();
		memory.update();
	}
	return { element, update };
}
