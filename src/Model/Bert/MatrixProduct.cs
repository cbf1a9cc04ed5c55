using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>Matrix products, optionally with bfloat16 operands; results come back in the operands' own type.</summary>
internal static class MatrixProduct
{
    /// <summary>x·wᵀ. <paramref name="x"/> […, in], <paramref name="w"/> [out, in], result […, out].</summary>
    public static Tensor Linear(Tensor x, Tensor w, bool bf16) => bf16
        ? nn.functional.linear(x.to(ScalarType.BFloat16), w.to(ScalarType.BFloat16)).to(x.dtype)
        : nn.functional.linear(x, w);

    /// <summary>Batched a·b: [n, i, k] × [n, k, j] → [n, i, j].</summary>
    public static Tensor Batched(Tensor a, Tensor b, bool bf16) => bf16
        ? a.to(ScalarType.BFloat16).bmm(b.to(ScalarType.BFloat16)).to(a.dtype)
        : a.bmm(b);

    /// <summary>bias + a·b, with a bias that broadcasts to [n, i, j].</summary>
    /// <remarks>TorchSharp 0.107's <c>torch.baddbmm</c> passes its operands in the wrong order; the method on the first factor is right.</remarks>
    public static Tensor BiasedBatched(Tensor bias, Tensor a, Tensor b, bool bf16) => bf16
        ? Batched(a, b, bf16).add_(bias)
        : a.baddbmm(b, bias);
}
