using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>A tensor's elements as bytes in row-major order.</summary>
internal static class TensorBytes
{
    // Torch exposes memory as spans of at most 2^31 bytes, so large tensors go in pieces.
    private const long PieceElements = 1 << 20;

    /// <summary>Views of a contiguous CPU tensor that together are the tensor, in order; read or write their <c>bytes</c>. Each lives until the next is taken.</summary>
    public static IEnumerable<Tensor> Pieces(Tensor contiguous)
    {
        using var flat = contiguous.view(-1);
        var count = flat.shape[0];
        for (var start = 0L; start < count; start += PieceElements)
        {
            using var piece = flat.narrow(0, start, Math.Min(PieceElements, count - start));
            yield return piece;
        }
    }

    /// <summary>Hands over the bytes of any tensor, whatever its device and layout: in place where it is contiguous on the CPU, else of a copy.</summary>
    public static void Visit(Tensor tensor, SpanAction visit)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var piece in Pieces(tensor.detach().cpu().contiguous()))
        {
            visit(piece.bytes);
        }
    }

    /// <summary>Takes some bytes.</summary>
    public delegate void SpanAction(ReadOnlySpan<byte> bytes);
}
