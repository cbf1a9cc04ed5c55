using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>Makes keys that SEAL reads. Uniform halves come from seeds, so all are written at half their size.</summary>
public sealed unsafe class SealKeyGenerator : IDisposable
{
    private const string Purpose = "keys in SEAL's way";

    private readonly SealContext _context;
    private readonly Randomness _random;

    public SealKeyGenerator(SealContext context)
        : this(context, new Randomness(context.Ring, Purpose))
    {
    }

    /// <summary>Keys that can be made again: for tests only.</summary>
    internal SealKeyGenerator(SealContext context, Seed seed)
        : this(context, new Randomness(context.Ring, seed, Purpose))
    {
    }

    private SealKeyGenerator(SealContext context, Randomness random) => (_context, _random) = (context, random);

    /// <summary>Uniform ternary.</summary>
    public SealSecretKey NewSecretKey()
    {
        var secret = _context.NewKeyPolynomial(secret: true);
        _random.Ternary(secret);
        return new SealSecretKey(secret, _context.Parameters.KeyId);
    }

    public SealPublicKey NewPublicKey(SealSecretKey secret) => Zero(secret);

    /// <summary>For ciphertexts of up to three parts.</summary>
    /// <exception cref="MisuseException">The parameters have no special prime.</exception>
    public SealRelinearisationKeys NewRelinearisationKeys(SealSecretKey secret)
    {
        var ring = _context.Ring;
        using var square = _context.NewKeyPolynomial(secret: true);
        ring.Team.For(square.Limbs, i => ring.Of(square, i).Multiply(square[i], secret.Polynomial[i], secret.Polynomial[i]));
        return new SealRelinearisationKeys([Switching(secret, square)], _context.Parameters.KeyId);
    }

    /// <param name="elements">Odd numbers below 2N; see <see cref="SealGalois"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">One is no such number.</exception>
    /// <exception cref="MisuseException">The parameters have no special prime.</exception>
    public SealGaloisKeys NewGaloisKeys(SealSecretKey secret, IEnumerable<int> elements)
    {
        var ring = _context.Ring;
        var keys = new Dictionary<int, SealPublicKey[]>();
        foreach (var element in elements.Distinct())
        {
            if (element < 0 || element >= 2 * ring.Degree || (element & 1) == 0)
            {
                throw new ArgumentOutOfRangeException(nameof(elements), element, $"A Galois element is an odd number below {2 * ring.Degree}.");
            }

            using var moved = _context.NewKeyPolynomial(secret: true);
            var map = (nint)ring.AutomorphismMap(element);
            ring.Team.For(moved.Limbs, i => ring.Of(moved, i).Permute(moved[i], secret.Polynomial[i], (int*)map));
            keys.Add(element, Switching(secret, moved));
        }

        return new SealGaloisKeys(keys, _context.Parameters.KeyId);
    }

    public void Dispose() => _random.Dispose();

    /// <summary>Digit j hides P·from in the residues mod q_j and zero in all others.</summary>
    private SealPublicKey[] Switching(SealSecretKey secret, Polynomial from)
    {
        if (!_context.Parameters.HasSpecial)
        {
            throw new MisuseException($"{_context.Parameters} have no special prime, without which keys cannot be switched. Use at least two primes.");
        }

        var ring = _context.Ring;
        var special = ring.Special(0).Modulus.Value;
        var digits = new SealPublicKey[ring.ChainLength];
        for (var j = 0; j < digits.Length; j++)
        {
            digits[j] = Zero(secret);
            var kernels = ring.Chain(j);
            kernels.MultiplyScalarAdd(digits[j].B[j], from[j], kernels.Modulus.Reduce(special));
        }

        return digits;
    }

    private SealPublicKey Zero(SealSecretKey secret)
    {
        SealMisuse.Own(_context.Parameters, "secret key", secret.Id);
        var (b, a) = (_context.NewKeyPolynomial(), _context.NewKeyPolynomial());
        var seed = SealZero.Symmetric(_context.Ring, _random, secret, b, a);
        return new SealPublicKey(b, a, secret.Id, seed);
    }
}
