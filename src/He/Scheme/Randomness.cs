using System.Security.Cryptography;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Random polynomials of one owner: every one from a stream of its own, none of which is used twice. The secret seed is born in memory that does
/// not move, and is overwritten when disposed or forgotten.
/// </summary>
internal sealed unsafe class Randomness : IDisposable
{
    private readonly RingContext _ring;
    private readonly string _purpose;
    private readonly byte[] _seed = GC.AllocateArray<byte>(Seed.Bytes, pinned: true);
    private int _drawn;

    /// <summary>From the system's generator.</summary>
    public Randomness(RingContext ring, string purpose)
    {
        (_ring, _purpose) = (ring, purpose);
        RandomNumberGenerator.Fill(_seed);
    }

    /// <summary>That can be made again: for tests only.</summary>
    public Randomness(RingContext ring, Seed seed, string purpose)
    {
        (_ring, _purpose) = (ring, purpose);
        seed.Span.CopyTo(_seed);
    }

    ~Randomness() => CryptographicOperations.ZeroMemory(_seed);

    /// <summary>A seed for public uniform polynomials; knowing it tells nothing of the streams of secrets.</summary>
    public Seed PublicSeed()
    {
        using var stream = Stream("public seed");
        Span<byte> bytes = stackalloc byte[Seed.Bytes];
        for (var i = 0; i < Seed.Bytes; i += sizeof(ulong))
        {
            BitConverter.TryWriteBytes(bytes[i..], stream.Next());
        }

        return new Seed(bytes);
    }

    /// <summary>A uniform ternary polynomial in transformed form, in all limbs of <paramref name="result"/>.</summary>
    public void Ternary(Polynomial result) => Small(result, "ternary", Samplers.Ternary);

    /// <summary>An error polynomial in transformed form.</summary>
    public void Error(Polynomial result) => Small(result, "error", Samplers.Error);

    /// <summary>A ternary polynomial with just so many coefficients that are not zero.</summary>
    public void Sparse(Polynomial result, int weight) => Small(result, "sparse", (stream, values) => Samplers.Sparse(stream, values, weight));

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_seed);
        GC.SuppressFinalize(this);
    }

    /// <summary>The uniform polynomial of a public seed: limb i of the prime at place i, so that fewer limbs are a prefix. It is drawn in the transformed domain, in the places' usual bit-reversed order.</summary>
    public static void Uniform(RingContext ring, Seed seed, int index, Polynomial result)
    {
        ring.Team.For(result.Limbs, i =>
        {
            var chain = result.HasSpecial ? result.Limbs - ring.SpecialLength : result.Limbs;
            UniformLimb(ring, ring.Of(result, i), seed, index, i < chain ? i : ring.ChainLength + i - chain, result, i);
        });
    }

    /// <summary>One limb of it.</summary>
    /// <param name="prime">The place of the limb's prime among all.</param>
    public static void UniformLimb(RingContext ring, LimbKernels kernels, Seed seed, int index, int prime, Polynomial result, int limb)
    {
        using var stream = new RandomStream(seed.Span, $"uniform {index}", prime);
        using var drawn = ring.NewPolynomial(2);
        var residues = new Span<ulong>(drawn[0], ring.Degree);
        var placed = (ulong*)drawn[1];
        Samplers.Uniform(stream, kernels.Modulus, residues);
        for (var k = 0; k < ring.Degree; k++)
        {
            placed[kernels.PlaceOf(k)] = residues[k];
        }

        kernels.FromResidues(result[limb], placed);
    }

    private void Small(Polynomial result, string kind, Action<RandomStream, Span<int>> sample)
    {
        using var stream = Stream(kind);
        using var values = _ring.NewPolynomial(1, secret: true);
        var numbers = (nint)values[0];
        sample(stream, new Span<int>(values[0], _ring.Degree));
        _ring.Team.For(result.Limbs, i =>
        {
            var kernels = _ring.Of(result, i);
            kernels.FromSigned(result[i], (int*)numbers);
            kernels.Forward(result[i]);
        });
    }

    private RandomStream Stream(string kind) => new(_seed, $"{_purpose}: {kind}", Interlocked.Increment(ref _drawn));
}
