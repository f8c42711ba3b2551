// Extracts the schemas of a few kinds from Kubernetes' OpenAPI definitions:
//
//   node make.mjs < kubernetes-openapi-union-v1.21.2.bundle-v1.json
//
// That file is part of the Go module sigs.k8s.io/kustomize/kyaml, in the folder
// openapi/kubernetesapi/data. Each schema is self-contained, has no descriptions, and
// rejects unknown fields.
import { readFileSync, writeFileSync } from 'node:fs'

const kinds = {
  'deployment-apps-v1': ['io.k8s.api.apps.v1.Deployment', 'apps/v1'],
  'cronjob-batch-v1': ['io.k8s.api.batch.v1.CronJob', 'batch/v1'],
  'poddisruptionbudget-policy-v1': ['io.k8s.api.policy.v1.PodDisruptionBudget', 'policy/v1'],
  'service-v1': ['io.k8s.api.core.v1.Service', 'v1'],
  'serviceaccount-v1': ['io.k8s.api.core.v1.ServiceAccount', 'v1'],
  'persistentvolumeclaim-v1': ['io.k8s.api.core.v1.PersistentVolumeClaim', 'v1'],
}

const { definitions } = JSON.parse(readFileSync(0, 'utf8'))

function convert(value, used) {
  if (Array.isArray(value)) return value.map(v => convert(v, used))
  if (value === null || typeof value !== 'object') return value
  if (value.$ref) {
    used.add(value.$ref.replace('#/definitions/', ''))
    return { $ref: value.$ref }
  }
  if (value.format === 'int-or-string') return { type: ['string', 'integer'] }
  const out = {}
  for (const [key, v] of Object.entries(value)) {
    if (key === 'properties') out.properties = Object.fromEntries(Object.entries(v).map(([k, p]) => [k, convert(p, used)]))
    else if (!key.startsWith('x-') && key !== 'description' && key !== 'default') out[key] = convert(v, used)
  }
  if (out.properties) out.additionalProperties = false
  return out
}

for (const [file, [root, apiVersion]] of Object.entries(kinds)) {
  const used = new Set()
  const schema = convert(definitions[root], used)
  schema.properties.apiVersion = { const: apiVersion }
  schema.required = [...new Set(['apiVersion', 'kind', ...(schema.required ?? [])])]
  const done = {}
  for (const name of used) done[name] = convert(definitions[name], used)
  // A quantity is a number or a string.
  if (done['io.k8s.apimachinery.pkg.api.resource.Quantity']) done['io.k8s.apimachinery.pkg.api.resource.Quantity'] = { type: ['string', 'number'] }
  writeFileSync(new URL(`${file}.json`, import.meta.url), JSON.stringify({ ...schema, definitions: done }) + '\n')
}
