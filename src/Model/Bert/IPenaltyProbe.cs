using TorchSharp;

namespace ActorTrainer.Model.Bert;

/// <summary>A probe that adds something to the loss for what it was shown, as training for narrower ranges does.</summary>
public interface IPenaltyProbe : IInputProbe
{
    /// <summary>Scalar for all inputs shown so far, with its graph; null: nothing is added. The caller owns it. Called once, after a part's forward.</summary>
    torch.Tensor? Take();
}
