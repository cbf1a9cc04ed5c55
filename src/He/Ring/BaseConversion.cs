namespace ActorTrainer.He.Ring;

/// <summary>
/// Carries numbers from some primes (the sources) to others, exactly: x = Σ [x·(D/qᵢ)⁻¹]_qᵢ·(D/qᵢ) − e·D with D the product of the sources and x centred.
/// Raises digits in key switching, and divides by D with rounding in rescaling and at the end of key switching.
/// </summary>
internal sealed unsafe class BaseConversion
{
    private readonly LimbKernels[] _sources;
    private readonly ulong[] _moduli;
    private readonly ulong[] _factors;
    private readonly Target[] _targets;

    public BaseConversion(IEnumerable<LimbKernels> sources, IEnumerable<LimbKernels> targets)
    {
        _sources = [.. sources];
        _moduli = [.. _sources.Select(s => s.Modulus.Value)];
        _factors = [.. _sources.Select(s => s.Modulus.Inverse(ProductOfOthers(s, s.Modulus)))];
        _targets = [.. targets.Select(Constants)];
    }

    public int Sources => _sources.Length;

    /// <summary>A source limb in transformed form to what <see cref="Multiples"/> and <see cref="Convert"/> want, in place.</summary>
    public void Prepare(int source, void* limb) => Prepare(source, limb, limb);

    /// <summary>The same into other memory.</summary>
    public void Prepare(int source, void* result, void* limb) => _sources[source].Inverse(result, limb, _factors[source]);

    /// <summary>The multiples of D, once for all targets.</summary>
    public void Multiples(void* result, Polynomial prepared, int first)
    {
        var limbs = stackalloc void*[_sources.Length];
        Gather(limbs, prepared, first);
        fixed (ulong* moduli = _moduli)
        {
            _sources[0].Multiples(result, limbs, moduli, _sources.Length);
        }
    }

    /// <summary>The residues mod one target, in transformed form.</summary>
    /// <param name="first">The place of the first source limb in <paramref name="prepared"/>.</param>
    public void Convert(int target, void* result, Polynomial prepared, int first, void* multiples)
    {
        var limbs = stackalloc void*[_sources.Length];
        Gather(limbs, prepared, first);
        var t = _targets[target];
        fixed (ulong* moduli = _moduli, weights = t.Weights)
        {
            t.Kernels.Combine(result, limbs, moduli, weights, _sources.Length, multiples, t.Correction);
        }

        t.Kernels.Forward(result);
    }

    /// <summary>result = (limb − converted)/D mod the target: division with rounding; may be in place.</summary>
    public void Divide(int target, void* result, void* limb, void* converted) =>
        _targets[target].Kernels.SubtractMultiply(result, limb, converted, _targets[target].InverseOfWhole);

    private void Gather(void** limbs, Polynomial prepared, int first)
    {
        for (var i = 0; i < _sources.Length; i++)
        {
            limbs[i] = prepared[first + i];
        }
    }

    private ulong ProductOfOthers(LimbKernels? without, Modulus modulus) =>
        _sources.Where(s => s != without).Aggregate(1UL, (product, s) => modulus.Multiply(product, modulus.Reduce(s.Modulus.Value)));

    private Target Constants(LimbKernels kernels)
    {
        var modulus = kernels.Modulus;
        var whole = ProductOfOthers(null, modulus);
        // A target that is itself a source is never converted to.
        return new Target(kernels, [.. _sources.Select(s => ProductOfOthers(s, modulus))], modulus.Negate(whole), whole == 0 ? 0 : modulus.Inverse(whole));
    }

    private sealed record Target(LimbKernels Kernels, ulong[] Weights, ulong Correction, ulong InverseOfWhole);
}
