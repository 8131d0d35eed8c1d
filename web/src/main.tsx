import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./app/page.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { begin } from "./api/session";
import { OutOfReach } from "./app/OutOfReach";
import { client, router } from "./app/router";
import { resolver, SCHEME_KEY, theme } from "./app/theme";
import { startWords } from "./words";

const schemes = localStorageColorSchemeManager({ key: SCHEME_KEY });

async function start(): Promise<void> {
  const root = document.getElementById("root");
  if (!root) throw new Error("index.html has no #root");
  document.documentElement.style.removeProperty("background-color");
  const [, reached] = await Promise.all([
    startWords(),
    begin().then(
      () => true,
      () => false,
    ),
  ]);
  createRoot(root).render(
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolver}
      colorSchemeManager={schemes}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={client}>
        <ModalsProvider>
          <Notifications position="bottom-right" limit={4} />
          {reached ? <RouterProvider router={router} /> : <OutOfReach />}
        </ModalsProvider>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

void start();
