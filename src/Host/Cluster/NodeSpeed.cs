using System.Diagnostics;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Host.Cluster;

/// <summary>How fast this machine computes the products that stages consist of.</summary>
internal static class NodeSpeed
{
    private const int Rows = 512;
    private const int Width = 768;
    private static readonly TimeSpan Duration = TimeSpan.FromMilliseconds(200);

    /// <summary>GFLOP/s of float32 matrix products with one thread: the fastest of those of a fifth of a second, so that a short disturbance does not count.</summary>
    public static double Measure()
    {
        TorchThreads.Use(1);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (a, b, product) = (ones(Rows, Width), ones(Width, Width), zeros(Rows, Width));
        Multiply(a, b, product); // the first one makes the library's buffers
        var (best, started) = (TimeSpan.MaxValue, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(started) < Duration)
        {
            var begun = Stopwatch.GetTimestamp();
            Multiply(a, b, product);
            var took = Stopwatch.GetElapsedTime(begun);
            best = took < best ? took : best;
        }

        return 2.0 * Rows * Width * Width / best.TotalSeconds / 1e9;

        static void Multiply(Tensor a, Tensor b, Tensor product) => product.addmm_(a, b, 0, 1);
    }
}
