using ActorTrainer.Host.Cli;

namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary>Names, words and help of <c>plan</c>.</summary>
internal static class PlanDescription
{
    public static CommandDescription Plan { get; } = new()
    {
        Name = "plan",
        Summary = "tell what encrypted fine-tuning of a model will take, before anything is encrypted",
        Paragraphs =
        [
            """
            Runs one training step on paper and tells, block by block, levels, refreshes, operations and predicted
            seconds; for each stage of the cut its evaluation keys and memory; traffic; and seconds a step on 1, 2,
            4, … nodes. With arch=… a shape is planned with made weights and the published domains of functions;
            without it, the model of the run with its own weights and, if it has one, its calibration.
            """,
            """
            Costs of operations are measured on this machine for a few seconds, and kept in NAME/plan/costs.json.
            NAME/plan has the picture plan.png and all figures as plan.json too.
            """,
        ],
        Options =
        [
            new("nodes", "numbers of nodes to predict, e.g. nodes=1,8,64; 1, 2, 4, … when left out", "LIST"),
            new("cores", "cores of a node; those that costs were measured with when left out", "N"),
            new("owner_cores", "cores of the data owner; 4 when left out", "N"),
            new("network", "Mbit/s between any two machines; 1000 when left out", "MBITS"),
            new("costs", "file of measured costs, which is made where it is not there", "FILE"),
        ],
        Examples =
        [
            new("plan name=X arch=encryption-friendly he=secure nodes=1,8,64", "the published model at full size"),
            new("plan name=X he=dev eval.tasks=[rte]", "the model of the run X, 16 tokens of 16 examples"),
        ],
        Accepts = ["name", "base_dir", "arch", "eval", "he", "pipeline", "cluster"],
        ReadsModel = true,
        Defaults = ["eval=encrypted_rte"],
        Keys = ["name", "eval.tasks", "eval.batch_size", "he.set", "he.tokens", "he.batch", "he.cache", "he.key_memory", "he.threads", "pipeline.stages", "pipeline.cut", "cluster.cores"],
        Done = "the plan is written",
    };
}
