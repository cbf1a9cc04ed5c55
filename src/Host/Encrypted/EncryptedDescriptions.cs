using ActorTrainer.Host.Cli;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Names, words and help of the data owner's commands.</summary>
internal static class EncryptedDescriptions
{
    private static readonly string[] Read = ["name", "base_dir", "arch", "eval", "he"];
    private static readonly string[] Trains = ["name", "base_dir", "seed", "arch", "eval", "he", "pipeline", "impl"];

    /// <summary><c>keygen</c>: keys.</summary>
    public static CommandDescription KeyGen { get; } = new()
    {
        Name = "keygen",
        Summary = "make the data owner's keys for encrypted fine-tuning",
        Paragraphs =
        [
            """
            Plans the encrypted training of each task, and makes a secret key and exactly the evaluation keys that
            the plans ask for: secret.key (for its owner only), public.key, evaluation.keys and keys.json in
            NAME/keys. An existing folder is never overwritten: new keys for every job are safest.
            """,
            """
            Keys belong to a parameter set, a model, and a packing (he.tokens, he.batch); what is of another is
            refused before anything is computed.
            """,
        ],
        Examples =
        [
            new("keygen name=X he=dev eval=GLUE_lora eval.tasks=[rte]", "for RTE, 16 tokens of 16 examples"),
            new("keygen name=X eval=GLUE_lora eval.tasks=[rte] he.keys=/mnt/owner/keys", "in a folder of the owner's"),
        ],
        Accepts = Read,
        ReadsModel = true,
        Keys = ["name", "eval.tasks", "eval.checkpoint", "he.set", "he.tokens", "he.batch", "he.keys", "he.threads"],
        Done = "the keys are there",
    };

    /// <summary><c>encrypt</c>: data.</summary>
    public static CommandDescription Encrypt { get; } = new()
    {
        Name = "encrypt",
        Summary = "encrypt a task's exported examples with the owner's keys",
        Paragraphs =
        [
            """
            Encrypts train and the labelled splits of each task, as `export` wrote them, in micro-batches to
            NAME/encrypted/TASK/SPLIT: files with checksums and a manifest that tells no label, id or length.
            Rows of more than he.tokens tokens are left out. An interrupted encryption goes on.
            """,
            """
            Which row stands where, and its label, go to a private file under examples in the folder of the keys,
            where the owner finds them again.
            """,
        ],
        Options =
        [
            new("from", "folder that export wrote; NAME/export when left out", "FOLDER"),
            new("rows", "most rows of each split; all when left out (eval.train_rows counts too)", "N"),
        ],
        Examples =
        [
            new("encrypt name=X he=dev eval.tasks=[rte]", "RTE's train and dev, with the keys of NAME/keys"),
            new("encrypt name=X eval.tasks=[rte] he.keys=/mnt/owner/keys he.data=/mnt/shared/rte", "to a folder that the cluster reads"),
        ],
        Accepts = Read,
        ReadsModel = true,
        Keys = ["name", "eval.tasks", "he.set", "he.tokens", "he.batch", "he.keys", "he.data", "he.threads"],
        Done = "the data is encrypted",
    };

    /// <summary><c>finetune-encrypted</c>: training.</summary>
    public static CommandDescription FineTune { get; } = new()
    {
        Name = "finetune-encrypted",
        Summary = "train adapters and head on encrypted data, which the stages never see in the clear",
        Paragraphs =
        [
            """
            Trains LoRA adapters on queries, keys and values, pooler and head of each task through the same stages,
            schedule and checkpoints as in the clear. Stages hold base weights, evaluation keys and ciphertexts; the
            owner, who holds the secret key, lifts ciphertexts and is the only one to see loss and gradient norms.
            """,
            """
            With cluster=… the stages are nodes of a cluster, and this process is the data owner, whom they reach at
            he.owner. The coordinator's node reads the model, the calibration and he.data; keys, labels and losses
            stay here. Ctrl-C pauses the run until the same command is started again.
            """,
            """
            With he=bootstrap the stages lift ciphertexts themselves: once this process has said that it only looks
            on, it may be stopped, and the run goes on to its end. Losses are then hidden from everybody.
            """,
            """
            Needs keys (keygen), encrypted data (encrypt) and the ranges of all functions (a calibration.json from
            fine-tuning in the clear with eval.calibrate_every). The same command goes on with an interrupted run.
            """,
        ],
        Options =
        [
            new("steps", "training steps; as many as eval.epochs come to when left out", "N"),
            new("--rehearse", "only train the same in the clear by the polynomials, and tell which inputs leave their domains; for the owner, who has the data"),
            new("--compare", "then train the same in the clear and show both side by side; for the owner, who has the data"),
        ],
        Examples =
        [
            new("finetune-encrypted name=X he=dev eval=GLUE_lora eval.tasks=[rte] steps=10", "ten steps"),
            new("finetune-encrypted name=X he=dev eval=GLUE_lora eval.tasks=[rte] pipeline.stages=3", "a stage for each layer and for the head of a model of two layers"),
            new("finetune-encrypted name=X he=dev eval=GLUE_lora eval.tasks=[rte] cluster=local he.owner=127.0.0.1:4300", "on the cluster of this machine"),
        ],
        Accepts = [.. Trains, "cluster"],
        ReadsModel = true,
        Keys = ["name", "eval.tasks", "eval.checkpoint", "eval.calibration", "eval.batch_size", "eval.epochs", "eval.optim.lr", "he.set", "he.keys", "he.data", "he.cache", "he.key_memory", "he.threads", "he.owner", "he.helpers", "pipeline.stages", "cluster.seeds"],
        Done = "the encrypted models are there",
    };

    /// <summary><c>helper</c>: bootstrapping for others.</summary>
    public static CommandDescription Helper { get; } = new()
    {
        Name = "helper",
        Summary = "bootstrap for the stages of a cluster until it is stopped",
        Paragraphs =
        [
            """
            Holds the keys for bootstrapping, no weights and no secret, and lifts ciphertexts for the stages that name
            it in he.helpers: several of one request go through at once on as many machines. It may come and go at
            any moment: what it has not answered the stages do themselves, to the same bits.
            """,
            """
            It has to know the cluster's secret, or its certificates: cluster.secret_file, cluster.tls.
            """,
        ],
        Options =
        [
            new("listen", "where the stages reach it", "HOST:PORT"),
            new("keys", "folder with evaluation.keys and keys.json; he.keys when left out", "FOLDER"),
        ],
        Examples = [new("helper listen=127.0.0.1:4400 keys=/mnt/shared/rte/run/keys he=bootstrap cluster=local", "for stages with he.helpers=[\"127.0.0.1:4400\"]")],
        Accepts = ["name", "base_dir", "he", "cluster"],
        Keys = ["he.threads", "he.cache", "he.key_memory", "he.keys", "cluster.secret_file", "cluster.tls"],
        Done = "the helper has left",
    };

    /// <summary><c>evaluate-encrypted</c>: scores.</summary>
    public static CommandDescription Evaluate { get; } = new()
    {
        Name = "evaluate-encrypted",
        Summary = "score an encrypted model on encrypted data; only the owner learns the score",
        Paragraphs =
        [
            """
            Runs the labelled splits of each task, as encrypt wrote them, through the stages. The owner decrypts the
            outputs and compares them with the labels that it kept.
            """,
        ],
        Options =
        [
            new("model", "folder of an encrypted model; the latest of finetune-encrypted when left out", "FOLDER"),
            new("--compare", "also decrypt the model, evaluate the same rows in the clear, and tell how many agree"),
        ],
        Examples = [new("evaluate-encrypted name=X he=dev eval=GLUE_lora eval.tasks=[rte]", "RTE's dev split")],
        Accepts = Trains,
        ReadsModel = true,
        Keys = ["name", "eval.tasks", "he.set", "he.keys", "he.data", "he.threads", "pipeline.stages"],
        Done = "the models are scored",
    };

    /// <summary><c>decrypt</c>: results.</summary>
    public static CommandDescription Decrypt { get; } = new()
    {
        Name = "decrypt",
        Summary = "decrypt a trained model with the owner's keys",
        Paragraphs =
        [
            """
            Decrypts adapters, pooler and head of each task's encrypted model and writes them as a fine-tuned model:
            adapter.safetensors, model.safetensors, configuration, tokenizer and calibration, which evaluate loads.
            """,
        ],
        Options =
        [
            new("model", "folder of an encrypted model; the latest of finetune-encrypted when left out", "FOLDER"),
            new("out", "folder to write; NAME/decrypted/TASK when left out", "FOLDER"),
        ],
        Examples = [new("decrypt name=X he=dev eval=GLUE_lora eval.tasks=[rte]", "the latest model of RTE")],
        Accepts = Read,
        ReadsModel = true,
        Keys = ["name", "eval.tasks", "he.set", "he.keys"],
        Done = "the model is there",
    };
}
