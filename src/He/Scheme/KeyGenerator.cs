using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>Makes keys. Randomness comes from a secret seed that is fresh from the system, unless a test gives one.</summary>
public sealed unsafe class KeyGenerator : IDisposable
{
    private const string Purpose = "keys";

    private readonly CkksContext _context;
    private readonly Randomness _random;

    /// <param name="allowInsecure">Without it, parameter sets that are not secure are refused.</param>
    /// <exception cref="ParametersRefusedException">The set is insecure and was not allowed.</exception>
    public KeyGenerator(CkksContext context, bool allowInsecure = false)
        : this(context, new Randomness(context.Ring, Purpose), allowInsecure)
    {
    }

    /// <summary>Keys that can be made again: for tests only.</summary>
    internal KeyGenerator(CkksContext context, Seed seed, bool allowInsecure)
        : this(context, new Randomness(context.Ring, seed, Purpose), allowInsecure)
    {
    }

    private KeyGenerator(CkksContext context, Randomness random, bool allowInsecure)
    {
        if (!context.Parameters.IsSecure && !allowInsecure)
        {
            random.Dispose();
            throw new ParametersRefusedException($"'{context.Parameters.Name}' is not secure and must not hold real data. Use a secure set, or allow it for a test.");
        }

        (_context, _random) = (context, random);
    }

    public SecretKey NewSecretKey()
    {
        var ring = _context.Ring;
        var secret = ring.NewPolynomial(ring.ChainLength, special: true, secret: true);
        _random.Ternary(secret);
        return new SecretKey(secret, _context.Parameters.Fingerprint.ToArray());
    }

    public PublicKey NewPublicKey(SecretKey secret)
    {
        var ring = _context.Ring;
        var seed = _random.PublicSeed();
        var (b, a) = (ring.NewPolynomial(ring.ChainLength), ring.NewPolynomial(ring.ChainLength));
        Randomness.Uniform(ring, seed, 0, a);
        Mask(b, a, secret.Polynomial, ring.ChainLength);
        GC.KeepAlive(secret);
        return new PublicKey(b, a, seed, _context.Parameters);
    }

    /// <summary>Keys for every request, each up to its level and no further.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An element is even or not below 2N, or a level is none of the parameters'.</exception>
    public EvaluationKeys NewEvaluationKeys(SecretKey secret, IEnumerable<KeyRequest> requests)
    {
        KeyRequest[] wanted = [.. requests.GroupBy(r => r.Element).Select(group => group.MaxBy(r => r.Level))];
        foreach (var request in wanted)
        {
            if (!Galois.IsElement(_context.Parameters, request.Element) && request.Element != KeyRequest.Relinearisation)
            {
                throw new ArgumentOutOfRangeException(nameof(requests), request.Element, $"Galois elements are odd, from 1 to {(2 * _context.Parameters.Degree) - 1}.");
            }

            if (request.Level < 0 || request.Level > _context.Parameters.MaxLevel)
            {
                throw new ArgumentOutOfRangeException(nameof(requests), request.Level, $"Levels of {_context.Parameters.Name} are 0 to {_context.Parameters.MaxLevel}.");
            }
        }

        var keys = new EvaluationKeys();
        foreach (var request in wanted)
        {
            keys.Add(request.Element, request.Element == KeyRequest.Relinearisation ? ForProducts(secret, request.Level) : ForAutomorphism(secret, request));
        }

        return keys;
    }

    /// <summary>Keys to a fresh sparse secret and back, for bootstrapping; the secret itself is forgotten.</summary>
    /// <exception cref="ParametersRefusedException">q₀·p₀ is too large for a sparse secret.</exception>
    public EncapsulationKeys NewEncapsulationKeys(SecretKey secret)
    {
        var ring = _context.Ring;
        var parameters = new EncapsulationParameters(_context.Parameters);
        using var sparse = ring.NewPolynomial(ring.ChainLength, special: true, secret: true);
        _random.Sparse(sparse, EncapsulationParameters.Weight);

        var denseSeed = _random.PublicSeed();
        var denseA = EncapsulationKeys.ExpandDense(ring, denseSeed);
        var denseB = ring.NewPolynomial(ring.ChainLength, special: true);
        Mask(denseB, denseA, secret.Polynomial, ring.ChainLength);
        ring.Team.For(ring.ChainLength, i => ring.Chain(i).MultiplyScalarAdd(denseB[i], sparse[i], _context.SpecialModulo(i)));

        var sparseSeed = _random.PublicSeed();
        var sparseA = EncapsulationKeys.ExpandSparse(ring, sparseSeed);
        var sparseB = ring.NewPolynomial(2);
        using var error = ring.NewPolynomial(1, special: true, secret: true);
        _random.Error(error);
        using var product = ring.NewPolynomial(1, secret: true);
        foreach (var (limb, kernels, all) in new[] { (0, ring.Chain(0), 0), (1, ring.Special(0), ring.ChainLength) })
        {
            kernels.Multiply(product[0], sparseA[limb], sparse[all]);
            kernels.Subtract(sparseB[limb], error[limb], product[0]);
        }

        ring.Chain(0).MultiplyScalarAdd(sparseB[0], secret.Polynomial[0], parameters.Base.Reduce(parameters.Special.Value));
        GC.KeepAlive(secret);
        return new EncapsulationKeys(_context.Parameters, sparseB, sparseA, sparseSeed, denseB, denseA, denseSeed);
    }

    public void Dispose() => _random.Dispose();

    private SwitchingKey ForProducts(SecretKey secret, int level)
    {
        var ring = _context.Ring;
        using var square = ring.NewPolynomial(ring.ChainLength, special: true, secret: true);
        ring.Team.For(square.Limbs, i => ring.Of(square, i).Multiply(square[i], secret.Polynomial[i], secret.Polynomial[i]));
        var key = Switching(square, secret.Polynomial, level);
        GC.KeepAlive(secret);
        return key;
    }

    /// <summary>From s to σ⁻¹(s): key switching comes first and the automorphism last, so that one decomposition serves many rotations.</summary>
    private SwitchingKey ForAutomorphism(SecretKey secret, KeyRequest request)
    {
        var ring = _context.Ring;
        var mask = (uint)(2 * ring.Degree) - 1;
        // Newton's iteration inverts odd numbers mod powers of two.
        var inverse = (uint)request.Element;
        for (var i = 0; i < 5; i++)
        {
            inverse *= 2 - ((uint)request.Element * inverse);
        }

        var map = (nint)ring.AutomorphismMap((int)(inverse & mask));
        using var target = ring.NewPolynomial(ring.ChainLength, special: true, secret: true);
        ring.Team.For(target.Limbs, i => ring.Of(target, i).Permute(target[i], secret.Polynomial[i], (int*)map));
        var key = Switching(secret.Polynomial, target, request.Level);
        GC.KeepAlive(secret);
        return key;
    }

    private SwitchingKey Switching(Polynomial from, Polynomial to, int level)
    {
        var (ring, parameters) = (_context.Ring, _context.Parameters);
        var seed = _random.PublicSeed();
        var count = parameters.DigitCount(level);
        var (b, a) = (new Polynomial[count], new Polynomial[count]);
        for (var j = 0; j < count; j++)
        {
            (b[j], a[j]) = (ring.NewPolynomial(level + 1, special: true), ring.NewPolynomial(level + 1, special: true));
            Randomness.Uniform(ring, seed, j, a[j]);
            Mask(b[j], a[j], to, level + 1);
            var (start, end) = parameters.Digit(j, level);
            var sum = b[j];
            ring.Team.For(end - start, i =>
            {
                var kernels = ring.Chain(start + i);
                kernels.MultiplyScalarAdd(sum[start + i], from[start + i], _context.SpecialModulo(start + i));
            });
        }

        return new SwitchingKey(level, b, a, seed, parameters);
    }

    /// <summary>b = e − a·s, e fresh.</summary>
    private void Mask(Polynomial b, Polynomial a, Polynomial secret, int chainLimbs)
    {
        var ring = _context.Ring;
        _random.Error(b);
        ring.Team.For(b.Limbs, i =>
        {
            var kernels = ring.Of(b, i);
            var s = secret[i < chainLimbs ? i : ring.ChainLength + i - chainLimbs];
            using var product = ring.NewPolynomial(1, secret: true);
            kernels.Multiply(product[0], a[i], s);
            kernels.Subtract(b[i], b[i], product[0]);
        });
    }
}
