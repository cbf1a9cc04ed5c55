using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>
/// Parameters of CKKS as Microsoft SEAL has them: N and primes, the last of which is the special prime if there is more than one. Level ℓ has
/// the first ℓ + 1 primes; the key level has all.
/// </summary>
public sealed class SealParameters
{
    public const int MaxDegree = 1 << 15;
    public const int MaxPrimes = 64;

    private const int MinDegree = 8;
    private const int MaxPrimeBits = 60;

    /// <summary>SEAL's default primes for 128 bits of security by the table of 2018, from N = 2^12.</summary>
    private static readonly Dictionary<int, ulong[]> Defaults = new()
    {
        [1 << 12] = [0xffffee001, 0xffffc4001, 0x1ffffe0001],
        [1 << 13] = [0x7fffffd8001, 0x7fffffc8001, 0xfffffffc001, 0xffffff6c001, 0xfffffebc001],
        [1 << 14] =
        [
            0xfffffffd8001, 0xfffffffa0001, 0xfffffff00001, 0x1fffffff68001, 0x1fffffff50001, 0x1ffffffee8001, 0x1ffffffea0001, 0x1ffffffe88001, 0x1ffffffe48001,
        ],
        [1 << 15] =
        [
            0x7fffffffe90001, 0x7fffffffbf0001, 0x7fffffffbd0001, 0x7fffffffba0001, 0x7fffffffaa0001, 0x7fffffffa50001, 0x7fffffff9f0001, 0x7fffffff7e0001,
            0x7fffffff770001, 0x7fffffff380001, 0x7fffffff330001, 0x7fffffff2d0001, 0x7fffffff170001, 0x7fffffff150001, 0x7ffffffef00001, 0xfffffffff70001,
        ],
    };

    private readonly Modulus[] _primes;
    private readonly ParmsId[] _ids;
    private readonly int[] _bits;

    /// <exception cref="ParametersRefusedException">N is not a power of two from 8 to 2^15, or the primes are not distinct primes ≡ 1 mod 2N of at most 60 bits.</exception>
    public SealParameters(int degree, IReadOnlyList<ulong> primes)
    {
        if (degree is < MinDegree or > MaxDegree || !BitOperations.IsPow2(degree))
        {
            throw new ParametersRefusedException($"SEAL's degree is a power of two, here from {MinDegree} to {MaxDegree}; found {degree}.");
        }

        if (primes.Count is < 1 or > MaxPrimes || primes.Distinct().Count() != primes.Count)
        {
            throw new ParametersRefusedException($"SEAL takes 1 to {MaxPrimes} distinct primes; found {primes.Count}, {primes.Distinct().Count()} of them distinct.");
        }

        foreach (var q in primes)
        {
            if (q >> MaxPrimeBits != 0 || q % (2 * (ulong)degree) != 1 || !Ring.Primes.IsPrime(q))
            {
                throw new ParametersRefusedException($"A modulus of SEAL's CKKS is a prime ≡ 1 mod 2N = {2 * degree} of at most {MaxPrimeBits} bits; found {q}.");
            }
        }

        _primes = [.. primes.Select(q => new Modulus(q))];
        (Degree, LogDegree) = (degree, BitOperations.Log2((uint)degree));
        _ids = [.. Enumerable.Range(1, _primes.Length).Select(count => ParmsId.Of(degree, _primes.AsSpan(0, count)))];
        _bits = [.. Enumerable.Range(1, _primes.Length).Select(count => (int)primes.Take(count).Aggregate(BigInteger.One, (product, q) => product * q).GetBitLength())];
    }

    public int Degree { get; }

    public int LogDegree { get; }

    public int Slots => Degree / 2;

    /// <summary>All, the special one last.</summary>
    public IReadOnlyList<Modulus> Primes => _primes;

    /// <summary>Level of fresh ciphertexts.</summary>
    public int MaxLevel => Math.Max(0, _primes.Length - 2);

    /// <summary>Whether there is a special prime, without which nothing can be relinearised or rotated.</summary>
    public bool HasSpecial => _primes.Length > 1;

    /// <summary>Of the key level.</summary>
    public ParmsId KeyId => _ids[^1];

    /// <summary>log₂ of the product of all primes.</summary>
    public double LogQP => _primes.Sum(q => q.Bits);

    /// <summary>Whether log₂(QP) is within the row of <see cref="SecurityTable"/>, which is stricter than SEAL's own.</summary>
    public bool IsSecure => LogQP <= SecurityTable.MaxLogQP(LogDegree);

    /// <summary>SEAL's <c>CoeffModulus::Create</c>: primes ≡ 1 mod 2N of these sizes, of which repeated ones come smallest first.</summary>
    /// <exception cref="ParametersRefusedException">There are not enough primes of a size, or see the constructor.</exception>
    public static SealParameters Create(int degree, params IReadOnlyList<int> bits)
    {
        if (degree is < MinDegree or > MaxDegree || bits.Any(b => b is < 2 or > MaxPrimeBits))
        {
            throw new ParametersRefusedException(
                $"Expected a degree from {MinDegree} to {MaxDegree} and primes of 2 to {MaxPrimeBits} bits; found {degree} and {string.Join(", ", bits)}.");
        }

        var found = bits.GroupBy(b => b).ToDictionary(group => group.Key, group => new Stack<ulong>(Ring.Primes.Below(group.Key, 2 * (ulong)degree).Take(group.Count())));
        return new SealParameters(degree, [.. bits.Select(b => found[b].TryPop(out var prime)
            ? prime
            : throw new ParametersRefusedException($"There are too few primes of {b} bits ≡ 1 mod {2 * degree}. Ask for larger ones."))]);
    }

    /// <summary>SEAL's default primes (<c>BFVDefault</c>), which the stricter table here calls insecure by 3 to 13 bits.</summary>
    /// <exception cref="ParametersRefusedException">N is not 2^12 … 2^15.</exception>
    public static SealParameters Default(int degree) => Defaults.TryGetValue(degree, out var primes)
        ? new SealParameters(degree, primes)
        : throw new ParametersRefusedException($"SEAL has default primes with a special prime for N = 2^12 to 2^15; found {degree}. Use Create.");

    public ParmsId IdAt(int level) => _ids[level];

    /// <summary>Bits of the product of the primes of a level.</summary>
    public int ModulusBits(int level) => _bits[level];

    public override string ToString() => FormattableString.Invariant($"SEAL parameters of N = {Degree}, {_primes.Length} primes, {LogQP:F1} bits");

    /// <summary>The level of this name; the name of the key level, unless it is also the top level, has none.</summary>
    internal bool TryLevel(ParmsId id, out int level)
    {
        level = Array.IndexOf(_ids, id);
        return level >= 0 && level <= MaxLevel;
    }
}
