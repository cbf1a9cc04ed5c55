using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.DataPlane;

/// <summary>
/// Memory for large received tensors, used again when the last tensor on it is gone. Fresh memory of that size comes from the operating system
/// page by page each time, which takes longer than the transfer.
/// </summary>
internal static class ReceiveMemory
{
    /// <summary>Smaller tensors are torch's own matter.</summary>
    public const long Smallest = 256 << 10;

    /// <summary>Most free memory kept, bytes.</summary>
    public const long MostFree = 256L << 20;

    private const int Alignment = 64; // as torch's own: some kernels depend on it
    private const int HugePage = 2 << 20;
    private const int AdviseHugePages = 14; // MADV_HUGEPAGE

    private static readonly Lock Gate = new();
    private static readonly Dictionary<IntPtr, Block> Used = [];
    private static readonly LinkedList<Block> Free = [];
    private static readonly Deleter Return = OnGone; // lives as long as native code may call it
    private static long _free;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void Deleter(IntPtr data);

    /// <summary>Bytes kept for the next tensors.</summary>
    public static long FreeBytes
    {
        get
        {
            lock (Gate)
            {
                return _free;
            }
        }
    }

    /// <summary>A CPU tensor with arbitrary content.</summary>
    public static Tensor Empty(long[] shape, ScalarType type, long bytes)
    {
        if (bytes < Smallest)
        {
            return empty(shape, type).DetachFromDisposeScope();
        }

        var data = Take(bytes);
        var sizes = GCHandle.Alloc(shape, GCHandleType.Pinned);
        try
        {
            var handle = THSTensor_new(data, Return, sizes.AddrOfPinnedObject(), shape.Length, (sbyte)type, (sbyte)type, 0, -1, false);
            if (handle == IntPtr.Zero)
            {
                OnGone(data);
                throw new OutOfMemoryException($"No tensor of {bytes} bytes.");
            }

            return Tensor.UnsafeCreateTensor(handle).DetachFromDisposeScope();
        }
        finally
        {
            sizes.Free();
        }
    }

    private static IntPtr Take(long bytes)
    {
        var size = (bytes + Smallest - 1) / Smallest * Smallest;
        lock (Gate)
        {
            for (var node = Free.Last; node is not null; node = node.Previous)
            {
                if (node.Value.Size == size)
                {
                    Free.Remove(node);
                    _free -= size;
                    Used.Add(node.Value.Data, node.Value);
                    return node.Value.Data;
                }
            }

            var alignment = size >= HugePage ? HugePage : Alignment;
            var start = Marshal.AllocHGlobal((IntPtr)(size + alignment));
            var data = (start + alignment - 1) & ~(alignment - 1);
            if (size >= HugePage)
            {
                _ = madvise(data, (nint)size & ~(HugePage - 1), AdviseHugePages); // only advice: without it there are more page faults
            }

            Used.Add(data, new Block(start, data, size));
            return data;
        }
    }

    /// <summary>Called by libtorch on any thread when the last tensor on some memory is gone.</summary>
    private static void OnGone(IntPtr data)
    {
        lock (Gate)
        {
            Used.Remove(data, out var block);
            Free.AddLast(block!);
            _free += block!.Size;
            while (_free > MostFree)
            {
                var oldest = Free.First!.Value;
                Free.RemoveFirst();
                _free -= oldest.Size;
                Marshal.FreeHGlobal(oldest.Start);
            }
        }
    }

    /// <summary>TorchSharp's own way to a tensor on given memory; it offers it in public only for managed arrays.</summary>
    [DllImport("LibTorchSharp", CallingConvention = CallingConvention.Cdecl)]
    private static extern IntPtr THSTensor_new(
        IntPtr data, Deleter deleter, IntPtr sizes, int dimensions, sbyte type, sbyte sameType, int device, int deviceIndex, [MarshalAs(UnmanagedType.U1)] bool gradient);

    [DllImport("libc")]
    private static extern int madvise(IntPtr start, nint length, int advice);

    private sealed record Block(IntPtr Start, IntPtr Data, long Size);
}
