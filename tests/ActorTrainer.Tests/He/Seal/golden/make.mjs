// Makes the golden files with the real Microsoft SEAL (npm's node-seal is SEAL 4.1.2 compiled to WebAssembly).
//
//   node make.mjs        SEAL's own keys, ciphertexts and results, one folder for each parameter set
//   node make.mjs ours   what SEAL makes of the objects that the engine wrote to ours/ (see README.md)
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import SEAL from 'node-seal'

const here = dirname(fileURLToPath(import.meta.url))
const seal = await SEAL()
const { none, zlib } = seal.ComprModeType

// Primes of each set, from which SEAL's CoeffModulus::Create draws the moduli; the last one is the special prime.
const sets = [
  { name: 'wide', degree: 1024, bits: [60, 40, 40, 60], scale: 40, insecure: true },
  { name: 'narrow', degree: 512, bits: [30, 24, 24, 24, 29], scale: 24, insecure: true },
  { name: 'secure', degree: 4096, bits: [40, 26, 40], scale: 26, insecure: false },
  // The special prime is the smallest, so digits are reduced mod it.
  { name: 'uneven', degree: 256, bits: [50, 50, 30], scale: 28, insecure: true },
]

function contextOf(parameters, insecure) {
  const context = seal.Context(parameters, true, insecure ? seal.SecurityLevel.none : seal.SecurityLevel.tc128)
  if (!context.parametersSet()) {
    throw new Error('SEAL refuses the parameters')
  }

  return context
}

function folder(name) {
  const path = join(here, name)
  mkdirSync(path, { recursive: true })
  const save = (file, object, compression = zlib) => writeFileSync(join(path, `${file}.seal`), object.saveArray(compression))
  const numbers = (file, values) => writeFileSync(join(path, `${file}.f64`), Buffer.from(new Float64Array(values).buffer))
  return { path, save, numbers }
}

function slots(count, seed) {
  // Any fixed numbers in [-1, 1] do.
  return Float64Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i) * Math.cos(0.3 * seed * i))
}

function make({ name, degree, bits, scale, insecure }) {
  const { save, numbers } = folder(name)
  const parameters = seal.EncryptionParameters(seal.SchemeType.ckks)
  parameters.setPolyModulusDegree(degree)
  parameters.setCoeffModulus(seal.CoeffModulus.Create(degree, Int32Array.from(bits)))
  const context = contextOf(parameters, insecure)
  save('parameters', parameters, none)

  const keys = seal.KeyGenerator(context)
  const full = name === 'wide'
  // Seeded, so half the size.
  const relinSaved = keys.createRelinKeysSerializable().saveArray(zlib)
  const publicKey = keys.createPublicKey()
  save('secret', keys.secretKey(), none)
  save('public', publicKey)
  writeFileSync(join(here, name, 'relinearisation.seal'), relinSaved)
  const relinKeys = seal.RelinKeys()
  relinKeys.loadArray(context, relinSaved)

  const encoder = seal.CKKSEncoder(context)
  const encryptor = seal.Encryptor(context, publicKey, keys.secretKey())
  const decryptor = seal.Decryptor(context, keys.secretKey())
  const evaluator = seal.Evaluator(context)
  const [x, y] = [slots(degree / 2, 1), slots(degree / 2, 2)]
  const [plainX, plainY] = [encoder.encode(x, 2 ** scale), encoder.encode(y, 2 ** scale)]
  const a = encryptor.encrypt(plainX)
  const seeded = encryptor.encryptSymmetricSerializable(plainY).saveArray(full ? none : zlib)
  const b = seal.CipherText()
  b.loadArray(context, seeded)

  numbers('x', x)
  numbers('y', y)
  save('plain-x', plainX)
  save('plain-y', plainY, full ? none : zlib)
  save('a', a, full ? none : zlib)
  writeFileSync(join(here, name, 'b-seeded.seal'), seeded)

  const product = evaluator.multiply(a, b)
  const relinearised = evaluator.relinearize(product, relinKeys)
  const results = { relinearised, rescaled: evaluator.rescaleToNext(relinearised) }
  if (insecure) {
    // Keys for 1, -8 and conjugation (0); a rotation by -7 has no key of its own.
    const galoisSaved = keys.createGaloisKeysSerializable(Int32Array.from([1, -8, 0])).saveArray(zlib)
    writeFileSync(join(here, name, 'galois.seal'), galoisSaved)
    const galoisKeys = seal.GaloisKeys()
    galoisKeys.loadArray(context, galoisSaved)
    Object.assign(results, {
      product,
      rotated: evaluator.rotateVector(b, 1, galoisKeys),
      sum: evaluator.add(a, b),
      difference: evaluator.sub(a, b),
      square: evaluator.square(a),
      'plain-product': evaluator.multiplyPlain(a, plainY),
      switched: evaluator.cipherModSwitchToNext(a),
      'product-rescaled': evaluator.rescaleToNext(product),
      'rotated-right': evaluator.rotateVector(a, -8, galoisKeys),
      'rotated-twice': evaluator.rotateVector(a, -7, galoisKeys),
      conjugated: evaluator.complexConjugate(b, galoisKeys),
      'rotated-low': evaluator.rotateVector(evaluator.cipherModSwitchToNext(a), 1, galoisKeys),
    })
    if (!full) {
      Object.assign(results, {
        negated: evaluator.negate(a),
        'product-sum': evaluator.add(product, evaluator.multiplyPlain(a, plainY)),
        'product-difference': evaluator.sub(evaluator.multiplyPlain(a, plainY), product),
        'plain-sum': evaluator.addPlain(a, plainY),
      })
    }

    const low = evaluator.rescaleToNext(evaluator.relinearize(evaluator.square(a), relinKeys))
    results['square-low'] = evaluator.multiply(low, low)
    results['relinearised-low'] = evaluator.relinearize(results['square-low'], relinKeys)
  }

  for (const [file, result] of Object.entries(results)) {
    save(file, result)
  }

  const decrypted = decryptor.decrypt(relinearised)
  save('decrypted', decrypted)
  numbers('decoded', encoder.decode(decrypted))
}

// The engine wrote keys, a fresh and a seeded ciphertext; SEAL reads them all, computes with them and decrypts.
function ours() {
  const { path, save, numbers } = folder('ours')
  const bytes = file => new Uint8Array(readFileSync(join(path, `${file}.seal`)))
  const load = (object, context, file) => {
    object.loadArray(context, bytes(file))
    return object
  }
  const parameters = seal.EncryptionParameters(seal.SchemeType.ckks)
  parameters.loadArray(bytes('parameters'))
  const context = contextOf(parameters, true)
  const secret = load(seal.SecretKey(), context, 'secret')
  const publicKey = load(seal.PublicKey(), context, 'public')
  const relinKeys = load(seal.RelinKeys(), context, 'relinearisation')
  const galoisKeys = load(seal.GaloisKeys(), context, 'galois')
  const a = load(seal.CipherText(), context, 'a')
  const b = load(seal.CipherText(), context, 'b-seeded')
  const plain = load(seal.PlainText(), context, 'plain-x')

  const encoder = seal.CKKSEncoder(context)
  const decryptor = seal.Decryptor(context, secret)
  const evaluator = seal.Evaluator(context)
  const product = evaluator.rescaleToNext(evaluator.relinearize(evaluator.multiply(a, b), relinKeys))
  save('product', product)
  save('rotated', evaluator.rotateVector(a, 3, galoisKeys))
  save('plain-sum', evaluator.addPlain(a, plain))
  save('encrypted-by-seal', seal.Encryptor(context, publicKey).encrypt(plain))
  save('decrypted', decryptor.decrypt(product))
  numbers('decoded-a', encoder.decode(decryptor.decrypt(a)))
  numbers('decoded-b', encoder.decode(decryptor.decrypt(b)))
  numbers('decoded-product', encoder.decode(decryptor.decrypt(product)))
}

if (process.argv[2] === 'ours') {
  ours()
} else {
  sets.forEach(make)
}
