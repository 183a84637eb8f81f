import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
// Flask serves the pages, in development too; Vite then only serves modules and hot reload.
const flask = process.env.CARELOOM_ORIGIN ?? 'http://127.0.0.1:8000'
const port = Number(process.env.CARELOOM_VITE_PORT ?? 5173)

/** One entry for each sort of page; platform/web/assets.py turns an entry's name into tags. */
const entries = { staff: 'runtime/src/main.ts', fill: 'runtime/src/fill.ts', lists: 'runtime/src/lists.ts', paper: 'runtime/src/paper.ts', design: 'builders/src/main.ts' }

/** Flask does not compress: write .gz and .br beside each file once, here. */
const precompress = (folder: string): Plugin => ({
  name: 'precompress',
  apply: 'build',
  closeBundle() {
    if (!existsSync(folder)) return
    for (const name of readdirSync(folder)) {
      if (!/\.(js|css|svg)$/.test(name)) continue
      const bytes = readFileSync(folder + name)
      if (bytes.length < 1024) continue
      writeFileSync(`${folder}${name}.gz`, gzipSync(bytes, { level: 9 }))
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11 }
      writeFileSync(`${folder}${name}.br`, brotliCompressSync(bytes, { params }))
    }
  },
})

export default defineConfig(({ command }) => ({
  root: here('.'),
  publicDir: false,
  base: command === 'build' ? '/static/' : '/',
  plugins: [precompress(here('templates/static/assets/'))],
  server: {
    host: '127.0.0.1',
    port,
    strictPort: true,
    origin: `http://127.0.0.1:${port}`,
    cors: { origin: flask },
    hmr: { host: '127.0.0.1', clientPort: port },
  },
  build: {
    outDir: here('templates/static'),
    emptyOutDir: true,
    manifest: true,
    sourcemap: false,
    // Clinics' old machines: Windows 7 stops at Chrome 109, embedded browsers at 87.
    target: ['chrome87', 'edge88', 'safari14', 'firefox78'],
    cssTarget: ['chrome87', 'safari14', 'firefox78'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: Object.fromEntries(
        Object.entries(entries)
          .filter(([, path]) => existsSync(here(path)))
          .map(([name, path]) => [name, here(path)]),
      ),
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['{runtime,builders}/src/**/*.test.ts'],
    passWithNoTests: true,
  },
}))
