import { may, useSession } from "../api/session";
import { sections } from "../made/screens";

/** The places that this account may go to, in their order. */
export function useSections() {
  const me = useSession((session) => session.me);
  return sections
    .filter((each) => !each.scope || may(me, each.scope))
    .sort((one, other) => Number(one.low ?? false) - Number(other.low ?? false) || one.order - other.order);
}
