using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>From queries, keys and values to attended values: the part of attention without weights. All tensors are [B, heads, S, d].</summary>
internal static class AttentionProduct
{
    private const double MaskedScore = -10_000;

    /// <summary>What is added to scores of padding keys: [B, S] of ones and zeros → [B, S] of 0 and −10,000.</summary>
    public static Tensor ScoreBias(Tensor mask, ScalarType dtype) => mask.to(dtype).sub(1).mul_(-MaskedScore);

    /// <summary>softmax(q·kᵀ/√d + bias)·v.</summary>
    public static Tensor Softmax(Tensor q, Tensor k, Tensor v, Tensor? bias, bool bf16)
    {
        var dtype = q.dtype;
        var keyBias = bias?.view(bias.shape[0], 1, 1, bias.shape[1]);
        if (bf16)
        {
            // The fused kernel itself accumulates scores and sums in float32.
            (q, k, v) = (q.to(ScalarType.BFloat16), k.to(ScalarType.BFloat16), v.to(ScalarType.BFloat16));
            keyBias = keyBias?.to(ScalarType.BFloat16);
        }

        var attended = nn.functional.scaled_dot_product_attention(q, k, v, keyBias);
        return bf16 ? attended.to(dtype) : attended;
    }

    /// <summary>
    /// S·v with S_ij = exp(−‖q_i − k_j‖²/(2√d)) and no row normalisation (Rho et al., arXiv 2410.02486, section 3.2). The
    /// square is expanded, so that one matrix product and two broadcast sums give the exponent; padding keys get S = 0.
    /// </summary>
    public static Tensor GaussianKernel(Tensor q, Tensor k, Tensor v, Tensor? bias, bool bf16, FunctionSite site = default, ForwardContext context = default)
    {
        var (batch, heads, length, width) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3]);
        var scale = 1 / Math.Sqrt(width);
        q = q.reshape(-1, length, width);
        k = k.reshape(-1, length, width);
        v = v.reshape(-1, length, width);

        var scaledQ = q.mul(scale);
        var keySide = k.square().sum(-1).mul_(-0.5 * scale);
        if (bias is not null)
        {
            keySide = keySide.view(batch, heads, length).add(bias.unsqueeze(1)).view(-1, length);
        }

        var querySide = scaledQ.mul(q).sum(-1, keepdim: true).mul_(0.5);
        var exponent = MatrixProduct.BiasedBatched(keySide.unsqueeze(1), scaledQ, k.transpose(1, 2), bf16).sub_(querySide);
        return MatrixProduct.Batched(Weights(exponent), v, bf16).view(batch, heads, length, width);

        Tensor Weights(Tensor x)
        {
            if (context.Probe is null && context.Functions is null)
            {
                return x.exp_();
            }

            // Padding keys have an exponent of about −10,000 that says nothing about the function's range; their weight is zero.
            if (bias is null)
            {
                context.Probe?.Observe(site, x);
                return context.Functions?.Apply(site, x) ?? x.exp();
            }

            var real = bias.eq(0).view(batch, 1, 1, length).expand(batch, heads, length, length).reshape(x.shape);
            var inside = x.masked_fill(real.logical_not(), 0);
            context.Probe?.Observe(site, x.masked_select(real));
            return context.Functions is { } functions ? functions.Apply(site, inside) * real.to(x.dtype) : x.exp();
        }
    }
}
