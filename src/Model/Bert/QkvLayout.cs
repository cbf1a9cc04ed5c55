using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>Converts between one fused projection, rows interleaved per head (q, k, v, q, …), and three in natural order.</summary>
public static class QkvLayout
{
    /// <summary>Three [hidden, hidden] matrices to one [3·hidden, hidden].</summary>
    public static Tensor Fuse(Tensor query, Tensor key, Tensor value, int heads)
    {
        var (hidden, width) = (query.shape[0], query.shape[1]);
        return stack([PerHead(query), PerHead(key), PerHead(value)], 1).reshape(3 * hidden, width);

        Tensor PerHead(Tensor matrix) => matrix.view(heads, hidden / heads, width);
    }

    /// <summary>One [3·hidden, hidden] matrix to three [hidden, hidden].</summary>
    public static (Tensor Query, Tensor Key, Tensor Value) Split(Tensor fused, int heads)
    {
        var (rows, width) = (fused.shape[0], fused.shape[1]);
        var parts = fused.view(heads, 3, rows / 3 / heads, width);
        return (Part(0), Part(1), Part(2));

        Tensor Part(int index) => parts.select(1, index).reshape(rows / 3, width);
    }
}
