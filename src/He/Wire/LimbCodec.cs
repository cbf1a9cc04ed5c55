using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Wire;

/// <summary>Limbs to packed bytes and back, in the bit-reversed order that is the same for all kernels, with one limb of scratch memory for each step.</summary>
internal sealed unsafe class LimbCodec : IDisposable
{
    private readonly RingContext _ring;
    private readonly Polynomial _scratch;
    private readonly byte* _packed;
    private readonly ulong* _residues;
    private readonly int* _places;

    public LimbCodec(RingContext ring)
    {
        (_ring, _scratch) = (ring, ring.NewPolynomial(3));
        _packed = (byte*)_scratch[0];
        _residues = (ulong*)_scratch[1];
        _places = (int*)_scratch[2];
        for (var k = 0; k < ring.Degree; k++)
        {
            _places[k] = ring.Chain(0).PlaceOf(k);
        }
    }

    public void Write(ref WireSink sink, LimbKernels kernels, void* limb)
    {
        kernels.ToResidues(_residues, limb);
        BitPacking.Pack(_packed, _residues, _places, _ring.Degree, BitPacking.Bits(kernels.Modulus));
        sink.Write(Packed(kernels));
    }

    /// <exception cref="WireFormatException">The bytes end, or a residue is not below the prime. The kernels see residues that are.</exception>
    public void Read(ref WireSource source, LimbKernels kernels, void* limb)
    {
        source.Read(Packed(kernels));
        if (!BitPacking.Unpack(_residues, _packed, _places, _ring.Degree, BitPacking.Bits(kernels.Modulus), kernels.Modulus.Value))
        {
            throw new WireFormatException($"residues below {kernels.Modulus}", "one that is not", WireFormatException.Resend);
        }

        kernels.FromResidues(limb, _residues);
    }

    public bool IsZero(LimbKernels kernels, void* limb)
    {
        kernels.ToResidues(_residues, limb);
        return !new Span<ulong>(_residues, _ring.Degree).ContainsAnyExcept(0UL);
    }

    public void Dispose() => _scratch.Dispose();

    private Span<byte> Packed(LimbKernels kernels) => new(_packed, WireSize.LimbBytes(kernels.Modulus, _ring.Degree));
}
