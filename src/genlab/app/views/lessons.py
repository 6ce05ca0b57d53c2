"""Lessons: the course's questions, which are answered by measurement."""

from __future__ import annotations

import streamlit as st

from genlab.app.navigate import link

QUESTIONS = (
    ("Why the reparameterization trick?",
     "The report of `genlab demo` measures it: the spread of both gradients.", ""),
    ("What does the KL term do to the latent space?",
     "Train with β at 0, 1 and 4, and look at where the codes lie.", "explore"),
    ("What does the number of latent dimensions do to reconstruction?",
     "Train with 2, 8 and 32 of them, and compare.", "compare"),
    ("How is a decoder a generator?", "Hand one over, and read the receipt.", "vae-to-gan"),
    ("How do an encoder and a discriminator differ?",
     "See both networks, drawn from the models themselves.", "vae-to-gan"),
)  # fmt: skip


def page() -> None:
    st.markdown("### Lessons")
    st.write("Five questions that a course asks, and where this lab lets you measure the answer.")
    for question, how, place in QUESTIONS:
        with st.container(border=True):
            st.markdown(f"**{question}**")
            st.caption(how)
            if place:
                link(place, "Go there")
