using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Actors.Stages;

/// <summary>A stage that becomes what the recipe of its run asks for: a node does not know beforehand which runs it will serve.</summary>
/// <param name="make">Makes the computation of a recipe.</param>
public sealed class RecipeStage(Func<string, IStageComputation> make) : IStageComputation
{
    private string? _recipe;
    private volatile IStageComputation? _computation;

    private IStageComputation Made => _computation ?? throw new InvalidOperationException("The stage was not prepared.");

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Units => Made.Units;

    /// <inheritdoc/>
    public void Prepare(StageProtocol.Prepare plan)
    {
        if (_recipe != plan.Recipe)
        {
            _computation?.Dispose();
            _computation = null;
            (_computation, _recipe) = (make(plan.Recipe), plan.Recipe);
        }

        Made.Prepare(plan);
    }

    /// <inheritdoc/>
    public void Begin(StageProtocol.RunStep step) => Made.Begin(step);

    /// <inheritdoc/>
    public IPayload? Forward(int chunk, int microBatch, IPayload input, IPayload? targets) => Made.Forward(chunk, microBatch, input, targets);

    /// <inheritdoc/>
    public IPayload? Backward(int chunk, int microBatch, IPayload? gradient) => Made.Backward(chunk, microBatch, gradient);

    /// <inheritdoc/>
    public IPayload TiedGradient() => Made.TiedGradient();

    /// <inheritdoc/>
    public void ReduceTied(IPayload? gradient) => Made.ReduceTied(gradient);

    /// <inheritdoc/>
    public IPayload TiedWeight() => Made.TiedWeight();

    /// <inheritdoc/>
    public void AcceptTiedWeight(IPayload weight) => Made.AcceptTiedWeight(weight);

    /// <inheritdoc/>
    public StepGradients Gradients() => Made.Gradients();

    /// <inheritdoc/>
    public void Update(StageProtocol.Update update) => Made.Update(update);

    /// <inheritdoc/>
    public EvaluationScore? Score() => Made.Score();

    /// <inheritdoc/>
    public IReadOnlyList<LayerDigest> Digest() => Made.Digest();

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Save() => Made.Save();

    /// <inheritdoc/>
    public string? Outage => _computation?.Outage;

    /// <inheritdoc/>
    public void Abandon() => _computation?.Abandon();

    /// <inheritdoc/>
    public void Dispose() => _computation?.Dispose();
}
