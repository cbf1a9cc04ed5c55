using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Actors.Stages;

/// <summary>
/// What a stage computes, the only part that knows whether a payload is a tensor or a ciphertext. Every member is called
/// on the stage's own thread, in the order of the stage's program; payloads that go in or come out change owner.
/// </summary>
public interface IStageComputation : IDisposable
{
    /// <summary>Builds the units of this stage's parts, with initial weights or from committed objects; drops what was there.</summary>
    void Prepare(StageProtocol.Prepare plan);

    /// <summary>Names of the units that <see cref="Prepare"/> built, which <see cref="Save"/> will store.</summary>
    IReadOnlyCollection<string> Units { get; }

    /// <summary>A step or evaluation begins: whatever an aborted one left is dropped, gradients are zero.</summary>
    void Begin(StageProtocol.RunStep step);

    /// <summary>Forward of one part. Returns the activation for the next part, null on the last.</summary>
    /// <param name="chunk">Part among this stage's parts.</param>
    /// <param name="microBatch">Micro-batch of the step.</param>
    /// <param name="input">Inputs of the model on the first part, else the activation of the part before.</param>
    /// <param name="targets">Targets on the last part, else null.</param>
    IPayload? Forward(int chunk, int microBatch, IPayload input, IPayload? targets);

    /// <summary>Backward of one part, adding to its gradients. Returns the gradient for the part before, null on the first.</summary>
    /// <param name="chunk">Part among this stage's parts.</param>
    /// <param name="microBatch">Micro-batch of the step.</param>
    /// <param name="gradient">Gradient of the activation that <see cref="Forward"/> returned; null on the last part.</param>
    IPayload? Backward(int chunk, int microBatch, IPayload? gradient);

    /// <summary>The decoder's gradient, on the head's stage.</summary>
    IPayload TiedGradient();

    /// <summary>Adds the decoder's gradient to the token table's; null when the decoder lies on this stage too.</summary>
    void ReduceTied(IPayload? gradient);

    /// <summary>The updated token table, on the embedding's stage.</summary>
    IPayload TiedWeight();

    /// <summary>Takes over the updated token table, on the head's stage.</summary>
    void AcceptTiedWeight(IPayload weight);

    /// <summary>Norms of the gradients, the loss and the first non-finite micro-batch.</summary>
    StepGradients Gradients();

    /// <summary>Applies the optimiser (or drops the gradients) and leaves the gradients cleared.</summary>
    void Update(StageProtocol.Update update);

    /// <summary>Sums of the evaluation under way on the head's stage, else null.</summary>
    EvaluationScore? Score();

    /// <summary>Digests of every unit of this stage.</summary>
    IReadOnlyList<LayerDigest> Digest();

    /// <summary>Writes every unit's state to durable storage; returns unit name → hash.</summary>
    IReadOnlyDictionary<string, string> Save();

    /// <summary>What somebody outside of the run has done since <see cref="Prepare"/>, while the computation waited.</summary>
    OutsideWork Outside => default;

    /// <summary>Grows while an instruction goes on, for those that may take longer than a stall time-out; always the same where none does. Called from any thread.</summary>
    long Progress => 0;

    /// <summary>
    /// Somebody outside of the run whom the computation waits for and who is away, for people; null: nobody. Such a wait pauses a run for as long as it takes. Called from
    /// any thread.
    /// </summary>
    string? Outage => null;

    /// <summary>
    /// The attempt is given up: calls that wait for somebody else fail soon, until the next <see cref="Prepare"/>. Called from any thread; a computation that waits for
    /// nobody has nothing to do.
    /// </summary>
    void Abandon()
    {
    }
}

/// <summary>What a stage knows once its backwards are done.</summary>
/// <param name="UnitNorms">Unit index → squared L2 norm of each parameter's gradient, in canonical order.</param>
/// <param name="Loss">Sum of the scaled losses on the head's stage, NaN elsewhere.</param>
/// <param name="NonFinite">First micro-batch whose forward gave NaN or infinity here, −1 for none.</param>
/// <param name="Hidden">Norms and loss are encrypted: nothing is known here.</param>
public sealed record StepGradients(IReadOnlyDictionary<int, double[]> UnitNorms, double Loss, int NonFinite, bool Hidden = false);
