import { AppShell, Box } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { listen } from "../api/events";
import { useSession } from "../api/session";
import classes from "./Inside.module.css";
import { useShellKeys } from "./keys";
import { Offline } from "./Offline";
import { Phone } from "./Phone";
import { Rail } from "./Rail";
import { Top } from "./Top";

const Again = lazy(() => import("./entrance/Again"));
const Palette = lazy(() => import("./Palette"));
const Shortcuts = lazy(() => import("./Shortcuts"));

/** Around all screens: the rail, the bar, and who has signed in. */
export function Inside() {
  const state = useSession((session) => session.state);
  if (state === "out" || state === "unknown") return null; // the router is on its way to the door
  return <Frame expired={state === "expired"} />;
}

function Frame({ expired }: { expired: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [narrow, setNarrow] = useLocalStorage({ key: "ouzel.rail.narrow", defaultValue: false });
  const keys = useShellKeys(() => setNarrow((now) => !now));
  useEffect(() => (expired ? undefined : listen(client)), [client, expired]);
  return (
    <>
      <a href="#content" className={classes.skip}>
        {t("app.skip")}
      </a>
      <AppShell
        header={{ height: 54 }}
        navbar={{ width: narrow ? 64 : 212, breakpoint: "sm", collapsed: { mobile: true } }}
        footer={{ height: { base: 58, sm: 0 } }}
        padding={{ base: "sm", sm: "lg" }}
        classNames={{ root: classes.root, header: classes.header, navbar: classes.navbar, footer: classes.footer }}
        transitionDuration={0}
      >
        <AppShell.Header>
          <Top onSearch={keys.openSearch} onKeys={keys.openSheet} />
        </AppShell.Header>
        <AppShell.Navbar aria-label={t("app.main")}>
          <Rail narrow={narrow} onNarrow={() => setNarrow(!narrow)} />
        </AppShell.Navbar>
        <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
          <Offline />
          <Box maw={1760} mx="auto">
            <Outlet />
          </Box>
        </AppShell.Main>
        <AppShell.Footer hiddenFrom="sm" aria-label={t("app.main")} component="nav">
          <Phone />
        </AppShell.Footer>
      </AppShell>
      <Suspense fallback={null}>
        {keys.search && <Palette onClose={keys.closeSearch} onKeys={keys.openSheet} />}
        {keys.sheet && <Shortcuts onClose={keys.closeSheet} />}
        {expired && <Again />}
      </Suspense>
    </>
  );
}
