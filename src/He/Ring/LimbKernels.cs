using System.Runtime.Intrinsics.X86;

namespace ActorTrainer.He.Ring;

/// <summary>
/// Arithmetic on one limb: N residues mod one prime, in 8-byte words of native memory whose meaning is the kernels' own.
/// A limb is in coefficient form or in transformed form; sums and products are word by word and hold in either.
/// Inputs and output may be the same memory unless said otherwise. Nothing here allocates on the managed heap.
/// </summary>
public abstract unsafe class LimbKernels
{
    private protected LimbKernels(Modulus modulus, int logDegree)
    {
        Modulus = modulus;
        LogDegree = logDegree;
        Degree = 1 << logDegree;
    }

    /// <summary>Whether this processor has the instructions of <see cref="DoubleKernels"/>.</summary>
    public static bool DoubleSupported => Avx2.IsSupported && Fma.IsSupported;

    public Modulus Modulus { get; }

    public int LogDegree { get; }

    /// <summary>N, words of a limb.</summary>
    public int Degree { get; }

    /// <summary>The fastest kernels that this processor and prime allow: doubles below 2^49 with AVX2 and FMA, else 64-bit integers.</summary>
    public static LimbKernels Create(Modulus modulus, int logDegree, KernelChoice choice = KernelChoice.Fastest) =>
        choice != KernelChoice.Integer && DoubleSupported && modulus.Value < DoubleKernels.Bound
            ? new DoubleKernels(modulus, logDegree)
            : choice == KernelChoice.Double
                ? throw new NotSupportedException($"Double kernels need AVX2, FMA and a prime below 2^49; found {modulus}, AVX2 and FMA {(DoubleSupported ? "present" : "missing")}.")
                : new IntegerKernels(modulus, logDegree);

    /// <summary>Where the value at ψ^(2·brv(i)+1), i the usual bit-reversed place, is kept.</summary>
    public abstract int PlaceOf(int bitReversedIndex);

    /// <summary>Coefficients to values at the odd powers of ψ (negacyclic), in place.</summary>
    public abstract void Forward(void* limb);

    /// <summary>Values back to coefficients, times <paramref name="factor"/> mod q, in place.</summary>
    public void Inverse(void* limb, ulong factor = 1) => Inverse(limb, limb, factor);

    /// <summary>The same into other memory, or in place.</summary>
    public abstract void Inverse(void* result, void* limb, ulong factor);

    public abstract void Add(void* result, void* a, void* b);

    public abstract void Subtract(void* result, void* a, void* b);

    public abstract void Negate(void* result, void* a);

    public abstract void Multiply(void* result, void* a, void* b);

    /// <summary>result += a·b.</summary>
    public abstract void MultiplyAdd(void* result, void* a, void* b);

    /// <summary>The middle term of a tensor product: result = a·d + b·c.</summary>
    public abstract void MultiplyCross(void* result, void* a, void* d, void* b, void* c);

    /// <summary>result₀ += a·b₀ and result₁ += a·b₁, or without the sums for the first of a row: the inner loop of key switching.</summary>
    public abstract void MultiplyAddPair(void* result0, void* result1, void* a, void* b0, void* b1, bool first);

    /// <summary>result₀ = Σ aⱼ·b₀ⱼ and result₁ = Σ aⱼ·b₁ⱼ: key switching's sum over digits in one pass. The results are none of the operands.</summary>
    public abstract void SumProductsPair(void* result0, void* result1, void** a, void** b0, void** b1, int count);

    /// <summary>result = a·scalar; the scalar in [0, q).</summary>
    public abstract void MultiplyScalar(void* result, void* a, ulong scalar);

    /// <summary>result += a·scalar.</summary>
    public abstract void MultiplyScalarAdd(void* result, void* a, ulong scalar);

    /// <summary>result = a + scalar in every word, which in transformed form adds the constant to the polynomial.</summary>
    public abstract void AddScalar(void* result, void* a, ulong scalar);

    /// <summary>result = (a − b)·scalar: the end of a division by a dropped prime.</summary>
    public abstract void SubtractMultiply(void* result, void* a, void* b, ulong scalar);

    /// <summary>result[i] = a[map[i]]; not in place.</summary>
    public abstract void Permute(void* result, void* a, int* map);

    /// <summary>result[i] += a[map[i]]; not in place.</summary>
    public abstract void PermuteAdd(void* result, void* a, int* map);

    /// <summary>
    /// The residues of Σᵢ yᵢ·weightᵢ + e·correction, where yᵢ are coefficients mod other primes and e are the multiples from
    /// <see cref="Multiples"/>: base conversion that is exact. <paramref name="result"/> is none of the sources.
    /// </summary>
    /// <param name="sources">Limbs of the same kind of kernels, in coefficient form.</param>
    /// <param name="moduli">Their primes.</param>
    /// <param name="weights">One residue in [0, q) for each source.</param>
    public abstract void Combine(void* result, void** sources, ulong* moduli, ulong* weights, int count, void* multiples, ulong correction);

    /// <summary>e = round(Σᵢ yᵢ/qᵢ), the multiple of the whole source modulus that a weighted sum of centred sources has too much; as words for <see cref="Combine"/>.</summary>
    public abstract void Multiples(void* result, void** sources, ulong* moduli, int count);

    /// <summary>Whole numbers (doubles without a fraction, at most 2^90 in size) to residues.</summary>
    public abstract void FromNumbers(void* result, double* numbers);

    /// <summary>Small signed numbers to residues; each below q in size.</summary>
    public abstract void FromSigned(void* result, int* numbers);

    /// <summary>Residues in [0, q) to words, in the words' own order.</summary>
    public abstract void FromResidues(void* result, ulong* residues);

    /// <summary>Words to residues in [0, q), in the words' own order.</summary>
    public abstract void ToResidues(ulong* result, void* limb);

    public void Clear(void* limb) => new Span<byte>(limb, Degree * sizeof(double)).Clear();

    public void Copy(void* result, void* limb) => Buffer.MemoryCopy(limb, result, (long)Degree * sizeof(double), (long)Degree * sizeof(double));
}
