import { type Agent, request } from "node:http";

/** Sends one request and reads its answer to the last byte; another status than the expected one throws. */
export function ask(url: string, options: Asking): Promise<void> {
  const { agent, method = "GET", headers, body, expect } = options;
  return new Promise((resolve, reject) => {
    const asking = request(url, { agent, method, headers }, (answer) => {
      answer.on("data", () => {});
      answer.on("error", reject);
      answer.on("end", () => {
        answer.statusCode === expect ? resolve() : reject(new Error(`${url}: ${answer.statusCode}`));
      });
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

type Asking = {
  agent: Agent;
  method?: string;
  headers: Record<string, string>;
  body?: string;
  expect: number;
};
