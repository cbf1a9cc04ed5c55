namespace ActorTrainer.He.Approximation;

/// <summary>exp(x) on [−2^k, 0] as (1 + x/2^k)^(2^k): one scaling and k squarings. Below −2·2^k it explodes, like x^(2^k).</summary>
public static class PowerExponential
{
    public static double Evaluate(double x, int k)
    {
        var y = 1 + Math.ScaleB(x, -k);
        for (var i = 0; i < k; i++)
        {
            y *= y;
        }

        return y;
    }
}
