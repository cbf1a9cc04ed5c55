using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ActorTrainer.He.Ring;

/// <summary>
/// Native memory for polynomials, kept for reuse. Consecutive limbs begin 256 bytes further within their page: limbs at equal places
/// of pages would share lines of the first-level cache, which halves the speed of sums of products.
/// </summary>
public sealed unsafe class LimbPool(int degree) : IDisposable
{
    private const int Page = 4096;
    private const int Stagger = 256;

    /// <summary>Free memory is kept up to this, or up to an eighth of what is in use where that is more: a program that needs blocks of every size at some time would else hold the most of each.</summary>
    private const long LeastKept = 256L << 20;
    private const int KeptShare = 8;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Stack<nint>> _free = [];
    private long _bytes;
    private long _inUse;
    private long _peak;
    private bool _closed;

    /// <summary>Bytes taken from the system so far, in use or kept.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Bytes of polynomials that were not disposed.</summary>
    public long BytesInUse => Interlocked.Read(ref _inUse);

    /// <summary>The most that <see cref="BytesInUse"/> has been since the last <see cref="ForgetPeak"/>.</summary>
    public long PeakBytes => Interlocked.Read(ref _peak);

    /// <summary>From one limb to the next.</summary>
    public int StrideBytes { get; } = StrideOf(degree);

    /// <summary>Bytes that a limb of a degree takes.</summary>
    public static int StrideOf(int degree) => Math.Max(degree * sizeof(double), Page) + Stagger;

    /// <summary>Free bytes that are kept at most beside those in use.</summary>
    public static long Kept(long inUse) => Math.Max(LeastKept, inUse / KeptShare);

    /// <summary>Begins a new <see cref="PeakBytes"/>.</summary>
    public void ForgetPeak()
    {
        lock (_gate)
        {
            _peak = _inUse;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var block in _free.Values.SelectMany(blocks => blocks))
            {
                NativeMemory.AlignedFree((void*)block);
            }

            _free.Clear();
            _closed = true;
        }
    }

    /// <summary>
    /// Memory for so many limbs, with whatever it held before. A free block of up to a quarter more serves too: a program that goes down its levels would else leave blocks of every size behind.
    /// </summary>
    /// <param name="capacity">Limbs of the block, which it is returned with.</param>
    internal byte* Take(int limbs, out int capacity)
    {
        lock (_gate)
        {
            _inUse += (long)limbs * StrideBytes;
            _peak = Math.Max(_peak, _inUse);
            for (capacity = limbs; capacity <= limbs + (limbs / 4); capacity++)
            {
                if (_free.TryGetValue(capacity, out var blocks) && blocks.TryPop(out var block))
                {
                    return (byte*)block;
                }
            }

            capacity = limbs;
            _bytes += (long)limbs * StrideBytes;
        }

        var taken = NativeMemory.AlignedAlloc((nuint)limbs * (nuint)StrideBytes, Page);
        HugePages.Ask(taken, (long)limbs * StrideBytes);
        return (byte*)taken;
    }

    /// <param name="limbs">That were asked for.</param>
    /// <param name="capacity">That the block has.</param>
    /// <param name="wipe">Overwrite: the block held a secret.</param>
    internal void Return(byte* block, int limbs, int capacity, bool wipe)
    {
        if (wipe)
        {
            Wipe(block, capacity, StrideBytes);
        }

        lock (_gate)
        {
            _inUse -= (long)limbs * StrideBytes;
            if (_closed || _bytes - _inUse > Kept(_inUse))
            {
                _bytes -= _closed ? 0 : (long)capacity * StrideBytes;
                NativeMemory.AlignedFree(block);
                return;
            }

            if (!_free.TryGetValue(capacity, out var blocks))
            {
                _free.Add(capacity, blocks = new Stack<nint>());
            }

            blocks.Push((nint)block);
        }
    }

    /// <summary>For finalizers, which must not use other objects: straight back to the system.</summary>
    internal static void Abandon(byte* block, int limbs, int strideBytes, bool wipe)
    {
        if (wipe)
        {
            Wipe(block, limbs, strideBytes);
        }

        NativeMemory.AlignedFree(block);
    }

    private static void Wipe(byte* block, int limbs, int strideBytes)
    {
        for (var i = 0; i < limbs; i++)
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(block + ((long)i * strideBytes), strideBytes));
        }
    }
}
