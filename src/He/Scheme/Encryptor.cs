namespace ActorTrainer.He.Scheme;

/// <summary>Encrypts plaintexts at the level that they were encoded at, with the public key or the secret one.</summary>
public sealed unsafe class Encryptor : IDisposable
{
    private const string Purpose = "encryption";

    private readonly CkksContext _context;
    private readonly Randomness _random;

    public Encryptor(CkksContext context)
        : this(context, new Randomness(context.Ring, Purpose))
    {
    }

    /// <summary>Encryptions that can be made again: for tests only.</summary>
    internal Encryptor(CkksContext context, Seed seed)
        : this(context, new Randomness(context.Ring, seed, Purpose))
    {
    }

    private Encryptor(CkksContext context, Randomness random) => (_context, _random) = (context, random);

    /// <summary>(v·b + e₀ + m, v·a + e₁).</summary>
    /// <param name="magnitude">A bound on the slots that the program declares; not taken from the data, since it travels with the ciphertext.</param>
    /// <exception cref="MisuseException">The key is of other parameters.</exception>
    public Ciphertext Encrypt(Plaintext message, PublicKey key, double magnitude = 1)
    {
        Check(key.Parameters.Fingerprint.Span);
        var ring = _context.Ring;
        var limbs = message.Level + 1;
        using var v = ring.NewPolynomial(limbs, secret: true);
        var (c0, c1) = (ring.NewPolynomial(limbs), ring.NewPolynomial(limbs));
        _random.Ternary(v);
        _random.Error(c0);
        _random.Error(c1);
        ring.Team.For(limbs, i =>
        {
            var kernels = ring.Chain(i);
            kernels.MultiplyAdd(c0[i], v[i], key.B[i]);
            kernels.Add(c0[i], c0[i], message.Polynomial[i]);
            kernels.MultiplyAdd(c1[i], v[i], key.A[i]);
        });
        GC.KeepAlive(message);
        GC.KeepAlive(key);
        return new Ciphertext(new LimbPayload([c0, c1]), _context.Parameters, message.Level, message.Scale, NoiseModel.Public(_context.Parameters), magnitude);
    }

    /// <summary>(e − a·s + m, a), a from a seed of its own: less noise, and half the size on the wire.</summary>
    /// <inheritdoc cref="Encrypt(Plaintext, PublicKey, double)"/>
    public Ciphertext Encrypt(Plaintext message, SecretKey key, double magnitude = 1)
    {
        Check(key.Fingerprint);
        var ring = _context.Ring;
        var limbs = message.Level + 1;
        var seed = _random.PublicSeed();
        var (c0, c1) = (ring.NewPolynomial(limbs), ring.NewPolynomial(limbs));
        Randomness.Uniform(ring, seed, 0, c1);
        _random.Error(c0);
        ring.Team.For(limbs, i =>
        {
            var kernels = ring.Chain(i);
            using var product = ring.NewPolynomial(1, secret: true);
            kernels.Multiply(product[0], c1[i], key.Polynomial[i]);
            kernels.Subtract(c0[i], c0[i], product[0]);
            kernels.Add(c0[i], c0[i], message.Polynomial[i]);
        });
        GC.KeepAlive(message);
        GC.KeepAlive(key);
        return new Ciphertext(new LimbPayload([c0, c1], seed), _context.Parameters, message.Level, message.Scale, NoiseModel.Symmetric, magnitude);
    }

    public void Dispose() => _random.Dispose();

    private void Check(ReadOnlySpan<byte> fingerprint)
    {
        if (!fingerprint.SequenceEqual(_context.Parameters.Fingerprint.Span))
        {
            throw new MisuseException($"Cannot encrypt: the key belongs to other parameters than {_context.Parameters}. Use a key of these parameters.");
        }
    }
}
