// actions.js: what can be done with a partition, and how far that is.
import { partitionPath, post, remove } from "./api.js";
import { ask, button, el, enable, setAttribute, setText } from "./dom.js";
import { announce, refresh } from "./live.js";
import { isAdministrator, mayOperate, on, state, tell } from "./state.js";
import { printable } from "./words.js";

const LATE_S = 60;
const DOING = { start: "starting", stop: "stopping", pause: "pausing", resume: "resuming", restart: "restarting" };

const rests = (partition) => partition.state === "stopped" || partition.state === "failed-config";
const runs = (partition) => partition.state === "running" || partition.state === "paused";

export const can = {
	start: (partition) => partition.state === "stopped",
	stop: (partition) => runs(partition) || partition.state === "starting",
	pause: (partition) => partition.state === "running",
	resume: (partition) => partition.state === "paused",
	restart: runs,
};

// Whether what was begun has come to its end: a sentence, or nothing yet.
function outcome(pending, partition) {
	const { operation, started } = pending;
	const anew = partition.started_ns !== started;
	pending.moved = pending.moved || partition.state !== pending.state || anew;
	switch (operation) {
	case "stop": return rests(partition) && "is stopped";
	case "pause": return partition.state === "paused" && "is paused";
	case "resume": return partition.state === "running" && "goes on";
	default:
		if (partition.state === "running" && anew)
			return "runs";
		return pending.moved && rests(partition) && operation === "start" && anew && `has ended: ${partition.words}`;
	}
}

function look() {
	for (const [name, pending] of state.pending) {
		const partition = state.partitions.get(name), words = partition && outcome(pending, partition);
		if (partition && !words)
			continue;
		state.pending.delete(name);
		if (words)
			announce(`${printable(name)} ${words}`, "good");
		tell("pending", name);
	}
}
on("partitions", look);

export async function operate(name, operation) {
	const partition = state.partitions.get(name);
	if (!partition || state.pending.has(name))
		return;
	if (operation === "stop" || operation === "restart") {
		const detail = "What runs in it ends at once, as if its power were cut.";
		if (!await ask(`${operation === "stop" ? "Stop" : "Restart"} ${printable(name)}?`, detail,
			operation === "stop" ? "Stop" : "Restart"))
			return;
	}
	state.pending.set(name, { operation, since: Date.now(), started: partition.started_ns, state: partition.state });
	tell("pending", name);
	try {
		await post(`${partitionPath(name)}/${operation}`);
		await refresh();
	} catch (error) {
		state.pending.delete(name);
		tell("pending", name);
		announce(error.message, "bad");
	}
}

async function removePartition(name) {
	if (!await ask(`Remove ${printable(name)}?`, "Its memory and CPUs become free.", "Remove"))
		return;
	try {
		await remove(partitionPath(name));
		announce(`${printable(name)} is removed`, "good");
		if (location.hash.startsWith("#/partition/"))
			location.hash = "#/";
		await refresh();
	} catch (error) {
		announce(error.message, "bad");
	}
}

// ---- what is shown ----

function makeButtons(name) {
	const all = ["start", "stop", "pause", "resume", "restart"].map((operation) =>
		[operation, button(operation[0].toUpperCase() + operation.slice(1), () => operate(name, operation),
			{ "data-operation": operation, class: operation === "start" || operation === "resume" ? "primary" : null,
			  "aria-label": `${operation} ${printable(name)}` })]);
	return new Map(all);
}

// Of each pair, the one that makes sense now. The focus goes on to the other, so that the keyboard is not lost.
function swap(buttons, first, second, showFirst) {
	const [shown, hidden] = showFirst ? [first, second] : [second, first];
	const focused = document.activeElement === buttons.get(hidden);
	buttons.get(shown).hidden = false;
	buttons.get(hidden).hidden = true;
	if (focused)
		buttons.get(shown).focus();
}

/*
 * Buttons and progress of one partition: { element, update() }. Who may not operate it gets an element with nothing to
 * press.
 */
export function actions(name) {
	const buttons = makeButtons(name);
	const words = el("span", { class: "doing" });
	const progress = el("div", { class: "progress", role: "progressbar", "aria-label": `progress of ${printable(name)}`, hidden: true });
	const removing = button("Remove", () => removePartition(name), { class: "danger", "data-operation": "remove",
		"aria-label": `remove ${printable(name)}`, hidden: true });
	const row = el("div", { class: "row" }, [...buttons.values()], removing, words);
	const element = el("div", { class: "actions" }, row, progress);

	function update() {
		const partition = state.partitions.get(name), pending = state.pending.get(name);
		const may = partition && mayOperate(partition);
		row.hidden = !may;
		if (!may) {
			row.replaceChildren();
			return;
		}
		swap(buttons, "start", "stop", rests(partition));
		swap(buttons, "resume", "pause", partition.state === "paused");
		for (const [operation, element] of buttons)
			enable(element, !pending && can[operation](partition));
		removing.hidden = !(partition.runtime && isAdministrator());
		enable(removing, !pending && rests(partition));
		progress.hidden = !pending;
		const seconds = pending ? Math.floor((Date.now() - pending.since) / 1000) : 0;
		setText(words, pending ? `${DOING[pending.operation]}${seconds > LATE_S ? " still" : ""}\u2026 ${seconds} s` : "");
		setAttribute(element, "data-pending", pending?.operation);
	}
	update();
	return { element, update };
}
