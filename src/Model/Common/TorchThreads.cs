using static TorchSharp.torch;

namespace ActorTrainer.Model.Common;

/// <summary>Torch's intra-op threads, which each calling thread has a number of.</summary>
public static class TorchThreads
{
    /// <summary>
    /// Sets the number for the calling thread. A thread that has not computed yet would take over the number that any thread set last, when it
    /// computes for the first time; so it is made to do that before.
    /// </summary>
    public static void Use(int threads)
    {
        _ = get_num_threads();
        set_num_threads(threads);
    }
}
