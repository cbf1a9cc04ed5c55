using ActorTrainer.Model.Bert;
using ActorTrainer.Tests.Bert;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.FineTuning;

/// <summary>Keeps what it is shown.</summary>
internal sealed class RecordingProbe : IInputProbe
{
    public List<(FunctionSite Site, double[] Values)> Seen { get; } = [];

    public void Observe(FunctionSite site, Tensor input) => Seen.Add((site, Tiny.Doubles(input)));
}
