using TorchSharp;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>A tensor's elements as bytes in row-major order: in place for contiguous CPU tensors, else of a copy.</summary>
internal readonly struct RawTensor : IDisposable
{
    private readonly Tensor _tensor;

    private RawTensor(Tensor tensor) => _tensor = tensor;

    public Span<byte> Bytes => _tensor.bytes;

    public static RawTensor Of(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return new RawTensor(tensor.detach().cpu().contiguous().alias().DetachFromDisposeScope());
    }

    /// <summary>Fills a tensor from a stream, whatever its device.</summary>
    public static void Read(Stream stream, Tensor into)
    {
        using var noGrad = no_grad();
        if (into.device_type == DeviceType.CPU && into.is_contiguous())
        {
            stream.ReadExactly(into.bytes);
            return;
        }

        using var scope = NewDisposeScope();
        var cpu = empty(into.shape, into.dtype);
        stream.ReadExactly(cpu.bytes);
        into.copy_(cpu);
    }

    public void Dispose() => _tensor.Dispose();
}
