using ActorTrainer.Model.Bert;

namespace ActorTrainer.Tests.Bert;

/// <summary>One encoder layer in plain loops over doubles, written from the definition and sharing nothing with the units.</summary>
internal static class SlowLayer
{
    /// <param name="x">One sequence, [S][H].</param>
    /// <param name="mask">True at tokens.</param>
    /// <param name="weight">Matrix or vector by its short name, row-major; projections separate.</param>
    public static double[][] Forward(BertConfig config, double[][] x, bool[] mask, Func<string, double[]> weight)
    {
        var attended = x.Select(row => Norm(row, weight("norm1.weight"), weight("norm1.bias"), config.LayerNormEps)).ToArray();
        attended = Attention(config, attended, mask, weight);
        x = [.. x.Zip(attended, Add)];
        var fed = x.Select(row => FeedForward(config, Norm(row, weight("norm2.weight"), weight("norm2.bias"), config.LayerNormEps), weight));
        return [.. x.Zip(fed, Add)];
    }

    private static double[][] Attention(BertConfig config, double[][] x, bool[] mask, Func<string, double[]> weight)
    {
        var (q, k, v) = (Project(ParameterNames.QueryProjection), Project(ParameterNames.KeyProjection), Project(ParameterNames.ValueProjection));
        var joined = x.Select(_ => new double[config.Hidden]).ToArray();
        for (var head = 0; head < config.Heads; head++)
        {
            var columns = Enumerable.Range(head * config.HeadWidth, config.HeadWidth).ToArray();
            for (var i = 0; i < x.Length; i++)
            {
                var weights = new double[x.Length];
                for (var j = 0; j < x.Length; j++)
                {
                    weights[j] = config.Attention == AttentionKind.Softmax
                        ? Math.Exp(columns.Sum(c => q[i][c] * k[j][c]) / Math.Sqrt(config.HeadWidth) + (mask[j] ? 0 : -10_000))
                        : mask[j] ? Math.Exp(-columns.Sum(c => Math.Pow(q[i][c] - k[j][c], 2)) / (2 * Math.Sqrt(config.HeadWidth))) : 0;
                }

                var total = config.Attention == AttentionKind.Softmax ? weights.Sum() : 1;
                foreach (var c in columns)
                {
                    joined[i][c] = Enumerable.Range(0, x.Length).Sum(j => weights[j] / total * v[j][c]);
                }
            }
        }

        return [.. joined.Select(row => Times(weight("attn.dense.weight"), row))];

        double[][] Project(string name) => [.. x.Select(row => Times(weight(name), row))];
    }

    private static double[] FeedForward(BertConfig config, double[] x, Func<string, double[]> weight)
    {
        var inner = Times(weight("ffn.dense_in.weight"), x);
        var half = inner.Length / 2;
        return Times(weight("ffn.dense_out.weight"), [.. Enumerable.Range(0, half).Select(i => inner[i] * Gate(inner[half + i]))]);

        double Gate(double t) => config.Activation == GateActivation.Relu ? Math.Max(t, 0) : t * 0.5 * (1 + Erf(t / Math.Sqrt(2)));
    }

    private static double[] Norm(double[] x, double[] weight, double[] bias, double eps)
    {
        var mean = x.Average();
        var deviation = Math.Sqrt(x.Average(t => (t - mean) * (t - mean)) + eps);
        return [.. x.Select((t, i) => (t - mean) / deviation * weight[i] + bias[i])];
    }

    private static double[] Times(double[] matrix, double[] x) =>
        [.. Enumerable.Range(0, matrix.Length / x.Length).Select(row => x.Select((t, column) => t * matrix[row * x.Length + column]).Sum())];

    private static double[] Add(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a + b)];

    /// <summary>The error function by its Maclaurin series, exact to rounding for the small arguments here.</summary>
    private static double Erf(double z)
    {
        var (sum, term) = (z, z);
        for (var n = 1; n < 200; n++)
        {
            term *= -z * z / n;
            sum += term / (2 * n + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }
}
