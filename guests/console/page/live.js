// live.js: keeps `state` true: events as they come, numbers every few seconds while somebody looks.
import { get, Problem, stream } from "./api.js";
import { setAttribute, setText, el } from "./dom.js";
import { SAMPLES } from "./plot.js";
import { state, tell } from "./state.js";
import { clock, printable } from "./words.js";

const EVERY_MS = 3000;
const ALL_EVERY = 4; // of these, the lists that seldom change
const KEPT_EVENTS = 200;
const HIDDEN_MS = 10000; // so long a tab that is hidden is taken for one that is looked at

let stopEvents = () => {}, timer = 0, round = 0, before = null, generation = 0, refreshing = null;

// A word for those who look and for those who listen.
export function announce(text, kind) {
	const line = el("p", { class: kind ?? "info" }, text);
	document.getElementById("news").append(line);
	setTimeout(() => line.remove(), kind === "bad" ? 15000 : 6000);
}

function setLink(good) {
	const link = document.getElementById("link");
	setText(link, good ? "Live" : "No connection");
	setAttribute(link, "data-good", good);
}

/*
 * Runs `begin` while the tab is seen, and what it returned when it is not: a browser has few connections to one machine,
 * and hidden tabs would hold them. Returns a function that ends it for good.
 */
export function whileSeen(begin) {
	let end = null, timer = 0;
	function look() {
		clearTimeout(timer);
		if (!document.hidden)
			end ??= begin();
		else
			timer = setTimeout(() => {
				end?.();
				end = null;
			}, HIDDEN_MS);
	}
	document.addEventListener("visibilitychange", look);
	look();
	return () => {
		document.removeEventListener("visibilitychange", look);
		clearTimeout(timer);
		end?.();
	};
}

// ---- partitions ----

async function readPartitions() {
	const answer = await get("/partitions");
	const machine = await get("/machine");
	state.partitions = new Map(answer.partitions.map((partition) => [partition.name, partition]));
	noteIdle(machine);
	state.machine = machine;
	tell("partitions");
}

// Many events at once need one reading, and one that comes during a reading needs another.
export async function refresh() {
	if (refreshing) {
		refreshing.again = true;
		return refreshing.done;
	}
	const mine = { again: false };
	refreshing = mine;
	mine.done = (async () => {
		try {
			do {
				mine.again = false;
				await readPartitions();
			} while (mine.again);
		} finally {
			refreshing = null;
		}
	})();
	return mine.done;
}

function noteIdle(machine) {
	const last = state.machine, passed = last ? machine.now_ns - last.now_ns : 0;
	if (passed <= 0)
		return;
	machine.cpus.forEach((cpu, index) => {
		const idle = (cpu.idle_ns - (last.cpus[index]?.idle_ns ?? 0)) / passed;
		state.idle.set(cpu.number, Math.min(1, Math.max(0, idle)));
	});
}

// ---- events ----

function noteEvent(message) {
	const event = JSON.parse(message.data), known = state.partitions.get(event.name);
	const same = known && known.state === event.state && known.cause === event.cause && known.restarts === event.restarts;
	if (same)
		return;
	const cause = event.state === "stopped" && event.cause !== "none" ? ` (${event.cause.replaceAll("-", " ")})` : "";
	const text = `${event.state}${cause}`;
	if (known)
		Object.assign(known, { state: event.state, cause: event.cause, restarts: event.restarts, words: text });
	state.events.unshift({ at: clock(), name: event.name, text });
	state.events.length = Math.min(state.events.length, KEPT_EVENTS);
	// What was asked for here says so itself when it is done (actions.js).
	if ((!state.pending.has(event.name) && known?.kind !== "monitor") || event.cause === "failed")
		announce(`${printable(event.name)}: ${text}`, event.cause === "failed" ? "bad" : "info");
	tell("partitions");
	tell("events");
	refresh().catch(() => {});
}

function listen() {
	const events = stream("/events");
	let timer = 0, next = null;
	events.addEventListener("partition", noteEvent);
	events.addEventListener("open", () => setLink(true));
	events.addEventListener("error", () => {
		setLink(false);
		// Refused: the browser does not try again. Whether it is for want of a session, the next request tells.
		if (events.readyState === EventSource.CLOSED)
			timer = setTimeout(() => { next = listen(); }, EVERY_MS);
	});
	return () => {
		clearTimeout(timer);
		events.close();
		next?.();
	};
}

// ---- numbers ----

function sums(statistics, ports) {
	const all = new Map();
	const of = (name) => {
		if (!all.has(name))
			all.set(name, { cpu: 0, exits: 0, in: 0, out: 0 });
		return all.get(name);
	};
	for (const vcpu of statistics.vcpus) {
		const sum = of(vcpu.partition);
		sum.cpu += vcpu.ran_ns + vcpu.kernel_ns + vcpu.monitor_ns;
		sum.exits += vcpu.exits;
	}
	for (const port of ports) {
		const sum = of(port.guest ?? "");
		sum.in += port.in_bytes;
		sum.out += port.out_bytes;
	}
	return { now: statistics.now_ns, all, vcpus: statistics.vcpus };
}

function addSample(name, now, last, seconds) {
	const rates = state.rates.get(name) ?? { cpu: [], exits: [], in: [], out: [] };
	state.rates.set(name, rates);
	for (const key of Object.keys(rates)) {
		// A partition that was started anew counts from 0.
		const value = Math.max(0, now[key] - last[key]) / seconds;
		rates[key].push(key === "cpu" ? value / 1e9 : value);
		rates[key].splice(0, Math.max(0, rates[key].length - SAMPLES));
	}
}

async function sample() {
	const statistics = await get("/statistics");
	const ports = await get("/ports");
	const now = sums(statistics, ports.ports);
	const seconds = before ? (now.now - before.now) / 1e9 : 0;
	const old = new Map(before?.vcpus.map((vcpu) => [`${vcpu.number} ${vcpu.partition}`, vcpu.ran_ns]));

	state.ports = ports.ports;
	state.service = ports.service;
	state.placed = statistics.vcpus.map((vcpu) => ({ ...vcpu,
		busy: seconds > 0 ? Math.max(0, vcpu.ran_ns - (old.get(`${vcpu.number} ${vcpu.partition}`) ?? 0)) / 1e9 / seconds : 0 }));
	if (seconds > 0)
		for (const [name, sum] of now.all)
			addSample(name, sum, before.all.get(name) ?? sum, seconds);
	before = now;
	tell("sample");
}

/*
 * What the machine remembers of the time before this page: its samples are further apart than ours, so some stand twice.
 * Whoever cannot be asked for it begins with nothing.
 */
async function readHistory() {
	const { interval_ns: interval, partitions } = await get("/history");
	for (const { name, cpu_us: cpu, exits, in_bytes: received, out_bytes: sent } of partitions) {
		const count = Math.min(SAMPLES - 1, Math.floor((cpu.length * interval) / 1e6 / EVERY_MS));
		const spread = (values, scale) => Array.from({ length: count }, (_, index) =>
			(values.at(-1 - Math.floor(((count - 1 - index) * EVERY_MS * 1e6) / interval)) ?? 0) / scale);
		state.rates.set(name, { cpu: spread(cpu, 1e6), exits: spread(exits, 1), in: spread(received, 1), out: spread(sent, 1) });
	}
}

async function turn(mine) {
	if (!document.hidden) {
		try {
			await sample();
			if (++round % ALL_EVERY === 0)
				await refresh();
		} catch (error) {
			// Without an answer it goes on trying; a mistake of ours should be seen, and end nothing.
			if (!(error instanceof Problem))
				console.error(error);
		}
	}
	if (mine === generation)
		timer = setTimeout(turn, EVERY_MS, mine);
}

export async function startLive() {
	stopLive();
	before = null;
	round = ALL_EVERY - 2; // what CPUs do needs a second reading, and soon
	await refresh();
	await readHistory().catch(() => {});
	stopEvents = whileSeen(listen);
	turn(generation);
}

export function stopLive() {
	generation++;
	clearTimeout(timer);
	stopEvents();
	stopEvents = () => {};
	state.machine = null;
	state.events = [];
	state.rates.clear();
	state.idle.clear();
	state.pending.clear();
	state.partitions.clear();
}
