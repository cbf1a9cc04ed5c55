using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>Encrypts as SEAL does: with the secret key at the plaintext's level, with the public key one prime higher, which is then divided away.</summary>
public sealed unsafe class SealEncryptor : IDisposable
{
    private const string Purpose = "encryption in SEAL's way";

    private readonly SealContext _context;
    private readonly Randomness _random;

    public SealEncryptor(SealContext context)
        : this(context, new Randomness(context.Ring, Purpose))
    {
    }

    /// <summary>Encryptions that can be made again: for tests only.</summary>
    internal SealEncryptor(SealContext context, Seed seed)
        : this(context, new Randomness(context.Ring, seed, Purpose))
    {
    }

    private SealEncryptor(SealContext context, Randomness random) => (_context, _random) = (context, random);

    /// <exception cref="MisuseException">The plaintext or the key is of other parameters.</exception>
    public SealCiphertext Encrypt(SealPlaintext message, SealPublicKey key)
    {
        SealMisuse.Own(_context.Parameters, message);
        SealMisuse.Own(_context.Parameters, "public key", key.Id);
        var (ring, limbs) = (_context.Ring, message.Level + 1);
        var (c0, c1) = (ring.NewPolynomial(limbs), ring.NewPolynomial(limbs));
        if (_context.Parameters.HasSpecial)
        {
            var top = limbs == ring.ChainLength;
            using var above0 = top ? _context.NewKeyPolynomial() : ring.NewPolynomial(limbs + 1);
            using var above1 = top ? _context.NewKeyPolynomial() : ring.NewPolynomial(limbs + 1);
            SealZero.Public(ring, _random, key, above0, above1);
            SealDivision.Divide(ring, above0, c0);
            SealDivision.Divide(ring, above1, c1);
        }
        else
        {
            SealZero.Public(ring, _random, key, c0, c1);
        }

        return new SealCiphertext(Add(c0, c1, message), message.Id, message.Scale);
    }

    /// <summary>With less noise, and half the size when written.</summary>
    /// <exception cref="MisuseException">The plaintext or the key is of other parameters.</exception>
    public SealCiphertext Encrypt(SealPlaintext message, SealSecretKey key)
    {
        SealMisuse.Own(_context.Parameters, message);
        SealMisuse.Own(_context.Parameters, "secret key", key.Id);
        var (ring, limbs) = (_context.Ring, message.Level + 1);
        var (c0, c1) = (ring.NewPolynomial(limbs), ring.NewPolynomial(limbs));
        var seed = SealZero.Symmetric(ring, _random, key, c0, c1);
        return new SealCiphertext(Add(c0, c1, message), message.Id, message.Scale, seed);
    }

    public void Dispose() => _random.Dispose();

    private Polynomial[] Add(Polynomial c0, Polynomial c1, SealPlaintext message)
    {
        var ring = _context.Ring;
        ring.Team.For(c0.Limbs, i => ring.Chain(i).Add(c0[i], c0[i], message.Polynomial[i]));
        GC.KeepAlive(message);
        return [c0, c1];
    }
}
