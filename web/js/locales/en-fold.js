/** Words of long texts that are folded. */

export const words = { all: "Show all", less: "Show less" };
