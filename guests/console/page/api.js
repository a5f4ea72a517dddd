// api.js: requests to the API of the machine that this page comes from.

const API = "/api/v1";
let csrf = "", name = "";
let onEnd = () => {};

// What the server says of a request that it refuses (RFC 9457), or that nobody answered (status 0).
export class Problem extends Error {
	constructor(status, detail, members) {
		super(detail);
		this.status = status;
		this.members = members ?? {};
	}
}

// Of the answer to a log-in; null: there is none.
export function setSession(who) {
	csrf = who?.csrf ?? "";
	name = who?.name ?? "";
}
export function whenSessionEnds(call) { onEnd = call; }

async function refuse(answer) {
	let members = {};
	try {
		members = await answer.json();
	} catch {
		// Not every refusal has a body that is JSON.
	}
	if (answer.status === 401)
		onEnd();
	throw new Problem(answer.status, members.detail || answer.statusText || "The request was refused.", members);
}

/*
 * Somebody has logged in anew in another tab: the cookie is of that session, and so must be the token. False: there is
 * nothing new, or it is somebody else now, and what stands on this page is not for him.
 */
async function renewSession() {
	const answer = await fetch(`${API}/session`, { cache: "no-store", credentials: "same-origin" });
	const who = answer.ok ? await answer.json() : null;
	if (!who || who.name !== name) {
		onEnd();
		return false;
	}
	const renewed = who.csrf !== csrf;
	csrf = who.csrf;
	return renewed;
}

async function request(method, path, body, type, signal, again) {
	const headers = method === "GET" ? {} : { "X-CSRF-Token": csrf };
	if (type)
		headers["Content-Type"] = type;
	let answer;
	try {
		answer = await fetch(API + path, { method, headers, body, signal, cache: "no-store", credentials: "same-origin" });
	} catch (error) {
		if (error.name === "AbortError")
			throw error;
		throw new Problem(0, "The machine does not answer.");
	}
	if (answer.ok)
		return answer;
	if (answer.status === 403 && method !== "GET" && !again && await renewSession())
		return request(method, path, body, type, signal, true);
	return refuse(answer);
}

async function json(answer) {
	const text = await answer.text();
	return text ? JSON.parse(text) : null;
}

export const get = async (path) => json(await request("GET", path));
export const getText = async (path) => (await request("GET", path)).text();
export const post = async (path, value) =>
	json(await (value === undefined ? request("POST", path)
		: request("POST", path, JSON.stringify(value), "application/json")));
export const remove = async (path) => json(await request("DELETE", path));
export const postBytes = async (path, data) => json(await request("POST", path, data, "application/octet-stream"));
export const putBytes = async (path, data, signal) =>
	json(await request("PUT", path, data, "application/octet-stream", signal));
export const partitionPath = (name) => `/partitions/${encodeURIComponent(name)}`;

// A stream of events; the browser takes it up again by itself as long as the server does not refuse it.
export const stream = (path) => new EventSource(API + path);
