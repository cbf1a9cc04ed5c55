using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>What the director has to do.</summary>
public abstract record EvaluationAction
{
    private EvaluationAction()
    {
    }

    /// <summary>Send an assignment to an evaluator.</summary>
    public sealed record Deal(int Evaluator, EvaluationProtocol.Assign Assignment) : EvaluationAction;

    /// <summary>Answer all who asked.</summary>
    public sealed record Answer(EvaluationProtocol.IAnswer Message) : EvaluationAction;
}
