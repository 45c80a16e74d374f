"""A suite as jobs of a Slurm cluster: plan, submit, follow, and what runs inside a job."""
