// state.js: what is known of the machine, and who is told when that changes.

export const state = {
	who: null,             // { name, role, partitions }
	machine: null,
	partitions: new Map(), // by name, in the machine's order
	ports: [],
	service: "none",       // of the networks
	rates: new Map(),      // by name: { cpu: [], exits: [], in: [], out: [] }, the newest last
	placed: [],            // vCPUs: { partition, number, cpu, dedicated, busy }
	idle: new Map(),       // by CPU: the part of the time that it was idle
	events: [],            // { at, name, text }, the newest first
	pending: new Map(),    // by name: what is being done with it
};

const listeners = new Map();

// Returns a function that ends it.
export function on(topic, call) {
	const set = listeners.get(topic) ?? new Set();
	listeners.set(topic, set);
	set.add(call);
	return () => set.delete(call);
}

export function tell(topic, value) {
	for (const call of [...listeners.get(topic) ?? []])
		call(value);
}

export const isAdministrator = () => state.who?.role === "administrator";
export const seesAll = () => isAdministrator() || (state.who?.role === "viewer" && !state.who.partitions.length);

// Monitors live with their guests, and the console would cut the branch it sits on.
export function mayOperate(partition) {
	if (partition.kind === "monitor" || partition.kind === "console")
		return false;
	return isAdministrator() || (state.who?.role === "operator" && state.who.partitions.includes(partition.name));
}

// Those that people care for; a monitor is a part of its guest.
export const shown = () => [...state.partitions.values()].filter((partition) => partition.kind !== "monitor");

// A colour for each, the same on the whole page; a monitor has its guest's.
export function colour(name) {
	const owner = state.partitions.get(name)?.guest || name;
	const index = shown().findIndex((partition) => partition.name === owner);
	return index < 0 ? "var(--none)" : `var(--c${index % 8})`;
}
