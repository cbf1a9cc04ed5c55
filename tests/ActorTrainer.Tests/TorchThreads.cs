using System.Runtime.CompilerServices;
using TorchSharp;

namespace ActorTrainer.Tests;

/// <summary>Torch results depend on the intra-op thread count, so every test runs with one.</summary>
internal static class TorchThreads
{
    [ModuleInitializer]
    internal static void UseOne() => torch.set_num_threads(1);
}
