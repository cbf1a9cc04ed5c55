using ActorTrainer.Host.Cli;

namespace ActorTrainer.Host.Cluster;

/// <summary>Names, words and help of the commands of nodes and of a cluster's clients.</summary>
public static class ClusterCommandDescriptions
{
    /// <summary><c>node</c>: one node.</summary>
    public static CommandDescription Node { get; } = new()
    {
        Name = "node",
        Summary = "run a node of a cluster until it is stopped",
        Paragraphs =
        [
            """
            A stage node computes parts of a model, a coordinator node can lead the cluster, an evaluator node
            only holds copies of checkpoints. A node may have several roles. It joins the cluster of
            cluster.seeds and stays until it is stopped; Ctrl-C or SIGTERM lets it leave in order.
            """,
            """
            Killing any node at any moment changes no result. Start it again with the same cluster.node.
            """,
        ],
        Options = [new("role", "coordinator, stage, evaluator, or several: role=[coordinator,stage]", "ROLE")],
        Examples =
        [
            new("node role=coordinator cluster=local cluster.port=4100 cluster.data_port=4200 cluster.folder=node-0", "the coordinator of a cluster on this machine"),
            new("node role=stage cluster=local cluster.port=4101 cluster.data_port=4201 cluster.folder=node-1", "a stage node of it"),
            new("node role=[coordinator,stage] cluster=three cluster.address=10.0.0.1", "one of three machines"),
        ],
        Accepts = ["cluster"],
        Keys =
        [
            "cluster.seeds", "cluster.node", "cluster.address", "cluster.port", "cluster.data_port", "cluster.metrics_port", "cluster.folder",
            "cluster.journal", "cluster.stages", "cluster.spares", "cluster.memory", "cluster.tls",
        ],
        Done = "the node has left the cluster",
    };

    /// <summary><c>status</c>: what a cluster does.</summary>
    public static CommandDescription Status { get; } = new()
    {
        Name = "status",
        Summary = "show a cluster's nodes, its run, and what waits for what",
        Paragraphs = ["Asks the coordinator through any node of cluster.seeds and prints its answer once."],
        Examples = [new("status cluster=local", "the cluster on this machine")],
        Accepts = ["cluster"],
        Keys = ["cluster.seeds", "cluster.address", "cluster.tls"],
        Failed = "failure",
    };

    /// <summary><c>stop</c>: ends a run of a cluster.</summary>
    public static CommandDescription Stop { get; } = new()
    {
        Name = "stop",
        Summary = "stop a cluster's run after a checkpoint",
        Paragraphs = ["The run finishes its step, commits and ends; the nodes stay. Submitting it again goes on from there."],
        Examples = [new("stop name=test cluster=local", "the run test")],
        Accepts = ["name", "cluster"],
        Keys = ["name", "cluster.seeds", "cluster.address"],
    };
}
