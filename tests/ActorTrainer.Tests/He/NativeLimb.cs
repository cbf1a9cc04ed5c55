using System.Runtime.InteropServices;
using ActorTrainer.He.Ring;

namespace ActorTrainer.Tests.He;

/// <summary>A limb of native memory, filled and read as residues.</summary>
internal sealed unsafe class NativeLimb : IDisposable
{
    private readonly LimbKernels _kernels;

    public NativeLimb(LimbKernels kernels, ulong[]? residues = null)
    {
        _kernels = kernels;
        Words = NativeMemory.AlignedAlloc((nuint)kernels.Degree * 8, 64);
        Residues = residues ?? new ulong[kernels.Degree];
    }

    public void* Words { get; }

    public ulong[] Residues
    {
        get
        {
            var residues = new ulong[_kernels.Degree];
            fixed (ulong* p = residues)
            {
                _kernels.ToResidues(p, Words);
            }

            return residues;
        }

        set
        {
            fixed (ulong* p = value)
            {
                _kernels.FromResidues(Words, p);
            }
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(Words);
}
